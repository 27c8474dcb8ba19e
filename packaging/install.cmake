# What "cmake --install build/release" puts where, under --prefix (default /usr/local) and DESTDIR:
# the programs, systemd's units (pointing at those programs), the folders' and the user's rules, the
# manual page, the shells' completions, and an example of the configuration. Nothing under /etc is
# ever written: a file of the user's can't be lost.
if(NOT TARGET estiva OR NOT TARGET estivad)
  return()  # a tree of some rooms only, as tools/mutate makes it
endif()
include(GNUInstallDirs)

install(TARGETS estiva RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS estivad estiva-gateway estiva-sensor estiva-glprobe estiva-checkpoint estiva-launch estiva-memd RUNTIME DESTINATION libexec/estiva)
if(TARGET estiva-sim)
  install(TARGETS estiva-sim RUNTIME DESTINATION libexec/estiva)
  install(TARGETS sim_nvml LIBRARY DESTINATION libexec/estiva/sim NAMELINK_SKIP)
endif()

install(FILES packaging/systemd/estiva-control.socket packaging/systemd/estiva-lease.socket
              packaging/systemd/estiva-launch.socket packaging/systemd/estiva-models.slice
        DESTINATION lib/systemd/system)
install(FILES packaging/systemd/estiva.sysusers.conf DESTINATION lib/sysusers.d RENAME estiva.conf)
install(FILES packaging/systemd/estiva.tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME estiva.conf)
install(FILES packaging/estiva.toml README.md LICENSE CHANGELOG.md
        DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/estiva")

# The services name their programs by their full paths, which are known only now.
configure_file(packaging/install_made.cmake.in "${CMAKE_BINARY_DIR}/install_made.cmake" @ONLY)
install(SCRIPT "${CMAKE_BINARY_DIR}/install_made.cmake")
