// estiva-glprobe: draws a few frames with OpenGL on the X display of its environment and says which
// GPU drew them. A program of its own, because a GL driver may hang or crash, and because the
// offload variables (__NV_PRIME_RENDER_OFFLOAD, __GLX_VENDOR_LIBRARY_NAME) count from a program's
// start. Nothing of X or GL is needed to build it: their libraries are opened at run time.
//
// Prints "key=value" lines. Exit codes: 0 drawn; 3 there is nothing to draw on, "reason" says why;
// 1 drawing failed, "reason" says why.
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <dlfcn.h>
#include <set>
#include <string>
#include <string_view>
#include <unistd.h>

namespace {

constexpr int kDrawn = 0, kFailed = 1, kNothingToDrawOn = 3;
constexpr int kFrames = 60;

// As Xlib.h, glx.h and gl.h have them (X11R6.6, GLX 1.3, OpenGL 1.1).
struct Display;
struct FbConfig;
struct Context;
using Drawable = unsigned long;
constexpr int kDrawableType = 0x8010, kPbufferBit = 0x4, kRenderType = 0x8011, kRgbaBit = 0x1;
constexpr int kPbufferHeight = 0x8040, kPbufferWidth = 0x8041, kRgbaType = 0x8014;
constexpr unsigned kVendor = 0x1F00, kRenderer = 0x1F01, kVersion = 0x1F02;
constexpr unsigned kColorBuffer = 0x4000;

[[noreturn]] void end(int code, const char* reason) {
  std::printf("reason=%s\n", reason);
  std::fflush(stdout);
  ::_exit(code);
}

template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function == nullptr) {
    std::printf("missing=%s\n", name);
    end(kFailed, "the OpenGL library lacks a function");
  }
}

struct Gl {
  Display* (*open_display)(const char*) = nullptr;
  int (*default_screen)(Display*) = nullptr;
  void* (*set_error_handler)(int (*)(Display*, void*)) = nullptr;
  FbConfig** (*choose)(Display*, int, const int*, int*) = nullptr;
  Drawable (*create_pbuffer)(Display*, FbConfig*, const int*) = nullptr;
  Context* (*create_context)(Display*, FbConfig*, int, Context*, int) = nullptr;
  int (*make_current)(Display*, Drawable, Drawable, Context*) = nullptr;
  const unsigned char* (*get_string)(unsigned) = nullptr;
  void (*clear_color)(float, float, float, float) = nullptr;
  void (*clear)(unsigned) = nullptr;
  void (*finish)() = nullptr;
};

Gl load() {
  void* const x11 = ::dlopen("libX11.so.6", RTLD_NOW | RTLD_GLOBAL);
  void* const gl = ::dlopen("libGL.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (x11 == nullptr) end(kNothingToDrawOn, "no libX11.so.6");
  if (gl == nullptr) end(kNothingToDrawOn, "no libGL.so.1");
  Gl api;
  find(x11, "XOpenDisplay", api.open_display);
  find(x11, "XDefaultScreen", api.default_screen);
  find(x11, "XSetErrorHandler", api.set_error_handler);
  find(gl, "glXChooseFBConfig", api.choose);
  find(gl, "glXCreatePbuffer", api.create_pbuffer);
  find(gl, "glXCreateNewContext", api.create_context);
  find(gl, "glXMakeContextCurrent", api.make_current);
  find(gl, "glGetString", api.get_string);
  find(gl, "glClearColor", api.clear_color);
  find(gl, "glClear", api.clear);
  find(gl, "glFinish", api.finish);
  return api;
}

int on_x_error(Display*, void*) {
  end(kFailed, "the X server refused what OpenGL asked of it");
}

// The nodes that the driver has opened to draw: the GPU itself, whatever name it gave.
void print_devices() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return;
  std::set<std::string> devices;
  while (const dirent* entry = ::readdir(folder)) {
    char path[256];
    const std::string link = std::string("/proc/self/fd/") + entry->d_name;
    const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
    const std::string_view target(path, size > 0 ? static_cast<std::size_t>(size) : 0);
    if (target.starts_with("/dev/nvidia") || target.starts_with("/dev/dri/"))
      devices.emplace(target);
  }
  ::closedir(folder);
  for (const std::string& device : devices) std::printf("device=%s\n", device.c_str());
}

void print_string(const Gl& api, const char* key, unsigned name) {
  const unsigned char* const text = api.get_string(name);
  std::printf("%s=%s\n", key, text == nullptr ? "" : reinterpret_cast<const char*>(text));
}

}  // namespace

int main() {
  const char* const display_name = std::getenv("DISPLAY");
  if (display_name == nullptr || *display_name == '\0')
    end(kNothingToDrawOn, "no X display (DISPLAY is not set)");
  const Gl api = load();
  Display* const display = api.open_display(nullptr);
  if (display == nullptr) end(kNothingToDrawOn, "the X display can't be opened");
  api.set_error_handler(on_x_error);

  const int wanted[] = {kDrawableType, kPbufferBit, kRenderType, kRgbaBit, 0};
  int count = 0;
  FbConfig** const configs = api.choose(display, api.default_screen(display), wanted, &count);
  if (configs == nullptr || count == 0) end(kFailed, "OpenGL offers nothing to draw on (no GLX)");
  const int size[] = {kPbufferWidth, 64, kPbufferHeight, 64, 0};
  const Drawable buffer = api.create_pbuffer(display, configs[0], size);
  Context* const context = api.create_context(display, configs[0], kRgbaType, nullptr, 1);
  if (context == nullptr || api.make_current(display, buffer, buffer, context) == 0)
    end(kFailed, "no OpenGL context could be made");
  for (int i = 0; i < kFrames; ++i) {
    api.clear_color(static_cast<float>(i) / kFrames, 0, 0, 1);
    api.clear(kColorBuffer);
    api.finish();
  }
  print_string(api, "vendor", kVendor);
  print_string(api, "renderer", kRenderer);
  print_string(api, "version", kVersion);
  std::printf("frames=%d\n", kFrames);
  print_devices();
  std::fflush(stdout);
  // The libraries' own clean-up may hang with a driver that is gone.
  ::_exit(kDrawn);
}
