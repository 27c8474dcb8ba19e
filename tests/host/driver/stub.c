/* A library of the driver as far as a container notices: its SONAME, its version, cuInit. Compiled
 * for each version by driver.py with -DVERSION="550.163.01". */
const char* stub_version(void) {
  return VERSION;
}
int cuInit(unsigned flags) {
  return flags == 0 ? 0 : 1;
}
int cuDriverGetVersion(int* version) {
  *version = 12040;
  return 0;
}
