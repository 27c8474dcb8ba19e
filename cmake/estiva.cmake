# Compiler settings and the three verbs every CMakeLists.txt in the tree uses:
#   estiva_room(NAME SOURCES ... DEPS ... [ASIO])   a static library estiva_NAME of src/NAME
#   estiva_test(NAME SOURCES ... DEPS ... [ASIO])   a GoogleTest program registered with CTest
#   estiva_fuzz(NAME SOURCES ... DEPS ...)          a libFuzzer target (preset fuzz only)
# ASIO says that the sources include Boost.Asio: they then share the precompiled header that holds it.

option(ESTIVA_TESTS "Build tests and benchmarks" ON)
option(ESTIVA_FUZZ "Build libFuzzer targets (needs clang)" OFF)
set(ESTIVA_TEST_TIMEOUT 300 CACHE STRING "Seconds after which a GoogleTest case counts as hung")
option(ESTIVA_COVERAGE "Instrument for gcov" OFF)
set(ESTIVA_SANITIZE "" CACHE STRING "Sanitizers, as given to -fsanitize=")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1 -D_GLIBCXX_ASSERTIONS")
set(CMAKE_C_FLAGS_DEV "-O1 -g1")
if(ESTIVA_SANITIZE MATCHES "address" AND NOT ESTIVA_FUZZ)
  # The checks come from the front end; optimising their code takes half of the time to build.
  string(REPLACE "-O1" "-O0" CMAKE_CXX_FLAGS_DEV "${CMAKE_CXX_FLAGS_DEV}")
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

find_program(ESTIVA_CCACHE ccache)
if(ESTIVA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;${ESTIVA_CCACHE}")
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release")
  # False alarms of GCC 12 at -O2 about std::string (its bugs 105329 and 105651); the others stay on in
  # the build that is tested.
  add_compile_options(-Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()
add_compile_definitions(
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  ESTIVA_VERSION="${PROJECT_VERSION}")
if(ESTIVA_CCACHE)
  add_compile_options(-fpch-preprocess)
endif()
if(ESTIVA_SANITIZE)
  add_compile_options(-fsanitize=${ESTIVA_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ESTIVA_SANITIZE})
  if(ESTIVA_SANITIZE MATCHES "undefined")
    # vptr opens a pipe to see whether memory can be read, and so takes every object for a broken one
    # in the tests that run out of descriptors.
    add_compile_options(-fno-sanitize-recover=undefined -fno-sanitize=vptr)
  endif()
  if(ESTIVA_SANITIZE MATCHES "thread")
    # TSan does not model atomic_thread_fence, which Asio's fenced_block uses.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(ESTIVA_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(ESTIVA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)

# Two precompiled headers, each compiled once and reused by every target that asks for it.
function(_estiva_pch_donor name header)
  file(WRITE "${CMAKE_BINARY_DIR}/${name}.cpp" "")
  add_library(${name} OBJECT "${CMAKE_BINARY_DIR}/${name}.cpp")
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src")
  target_precompile_headers(${name} PRIVATE "${header}")
endfunction()
_estiva_pch_donor(estiva_pch_std "${CMAKE_SOURCE_DIR}/cmake/pch_std.h")
_estiva_pch_donor(estiva_pch_asio "${CMAKE_SOURCE_DIR}/cmake/pch_asio.h")

function(_estiva_target name asio)
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(${name} PUBLIC Threads::Threads)
  if(NOT name STREQUAL "estiva_base")
    # For {fmt}, which is compiled there (fmt_impl.cpp).
    target_link_libraries(${name} PUBLIC estiva_base)
  endif()
  if(asio)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # A false alarm of GCC 12 on the frames of Asio's coroutines.
      target_compile_options(${name} PRIVATE -Wno-mismatched-new-delete)
    endif()
    target_precompile_headers(${name} REUSE_FROM estiva_pch_asio)
  else()
    target_precompile_headers(${name} REUSE_FROM estiva_pch_std)
  endif()
endfunction()

function(estiva_room name)
  cmake_parse_arguments(ARG "ASIO" "" "SOURCES;DEPS" ${ARGN})
  add_library(estiva_${name} STATIC ${ARG_SOURCES})
  _estiva_target(estiva_${name} "${ARG_ASIO}")
  target_link_libraries(estiva_${name} PUBLIC ${ARG_DEPS})
endfunction()

function(estiva_program name)
  cmake_parse_arguments(ARG "ASIO" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  _estiva_target(${name} "${ARG_ASIO}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    # What is installed needs nothing but glibc; it also starts in half the time.
    target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections)
  endif()
endfunction()

function(estiva_test name)
  if(NOT ESTIVA_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "ASIO;ALONE" "" "SOURCES;DEPS" ${ARGN})
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${ARG_SOURCES})
  _estiva_target(${name} "${ARG_ASIO}")
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_compile_definitions(${name} PRIVATE
    ESTIVA_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ESTIVA_BUILD_DIR="${CMAKE_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  # Tests that use what the machine has only once run one after the other.
  set(alone "")
  if(ARG_ALONE)
    set(alone RESOURCE_LOCK ${name})
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}."
    PROPERTIES TIMEOUT ${ESTIVA_TEST_TIMEOUT} ${alone})
endfunction()

function(estiva_fuzz name)
  if(NOT ESTIVA_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "ASIO" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  _estiva_target(${name} "${ARG_ASIO}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_property(GLOBAL APPEND PROPERTY ESTIVA_FUZZERS ${name})
endfunction()

# NAME builds all of the tree but the unit tests of the rooms given. ./test runs those under the
# sanitizers, and once is enough. To be called when all targets are known.
function(estiva_all_but name)
  set(left_out ${ARGN})
  list(TRANSFORM left_out PREPEND "unit_")
  set(folders "${CMAKE_SOURCE_DIR}")
  set(wanted)
  while(folders)
    list(POP_FRONT folders folder)
    get_property(below DIRECTORY "${folder}" PROPERTY SUBDIRECTORIES)
    list(APPEND folders ${below})
    get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
      get_target_property(type ${target} TYPE)
      if(NOT type MATCHES "UTILITY|INTERFACE" AND NOT target IN_LIST left_out)
        list(APPEND wanted ${target})
      endif()
    endforeach()
  endwhile()
  add_custom_target(${name} DEPENDS ${wanted})
endfunction()
