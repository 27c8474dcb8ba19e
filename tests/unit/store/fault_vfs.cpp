#include "unit/store/fault_vfs.h"

#include <atomic>
#include <cstring>
#include <sqlite3.h>

namespace estiva::store {
namespace {

std::atomic<Fault> fault_now = Fault::none;
std::atomic<int> writes = 0, first_bad = 1;

struct File {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
File* as_file(sqlite3_file* file) {
  return reinterpret_cast<File*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return as_file(file)->real();
}

int close_file(sqlite3_file* file) {
  return real(file)->pMethods->xClose(real(file));
}
int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), to, size, at);
}
int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  const int seen = ++writes;
  const Fault fault = seen >= first_bad ? fault_now.load() : Fault::none;
  if (fault == Fault::hang) fault_now.wait(Fault::hang);
  if (fault == Fault::full) return SQLITE_FULL;
  if (fault == Fault::io_error) return SQLITE_IOERR_WRITE;
  if (fault == Fault::short_write) {
    real(file)->pMethods->xWrite(real(file), from, size / 2, at);
    return SQLITE_IOERR_WRITE;
  }
  return real(file)->pMethods->xWrite(real(file), from, size, at);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return real(file)->pMethods->xTruncate(real(file), size);
}
int sync_file(sqlite3_file* file, int flags) {
  return real(file)->pMethods->xSync(real(file), flags);
}
int size_file(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_lock(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
int control(sqlite3_file* file, int what, void* with) {
  return real(file)->pMethods->xFileControl(real(file), what, with);
}
int sector(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int traits(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

// Version 1: no shared memory. The store's exclusive locking needs none.
const sqlite3_io_methods kMethods = {1,         close_file, read_file, write_file,  truncate_file,
                                     sync_file, size_file,  lock_file, unlock_file, check_lock,
                                     control,   sector,     traits,    nullptr,     nullptr,
                                     nullptr,   nullptr,    nullptr,   nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* parent = static_cast<sqlite3_vfs*>(vfs->pAppData);
  file->pMethods = nullptr;
  const int code = parent->xOpen(parent, name, real(file), flags, out);
  if (code == SQLITE_OK) file->pMethods = &kMethods;
  return code;
}

}  // namespace

void install_fault_vfs() {
  if (sqlite3_vfs_find(kFaultVfs)) return;
  sqlite3_vfs* parent = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs vfs = *parent;
  vfs.zName = kFaultVfs;
  vfs.pAppData = parent;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + parent->szOsFile;
  vfs.xOpen = open_file;
  vfs.pNext = nullptr;
  sqlite3_vfs_register(&vfs, 0);
}

void set_fault(Fault fault, int nth_write) {
  writes = 0;
  first_bad = nth_write;
  fault_now = fault;
  fault_now.notify_all();
}

int writes_seen() {
  return writes;
}

}  // namespace estiva::store
