# Which Debian mirror this machine uses. Sourced by tools/bare-test.

# debian_mirror ETC SUITE: the first address in the apt sources under ETC (normally /etc/apt) that offers
# SUITE with the component main; deb822 files (*.sources) first, then one-line lists. None: no output, and
# exit code 1.
debian_mirror() {
  local etc=$1 suite=$2 found
  found=$({
    find "$etc/sources.list.d" -name '*.sources' 2>/dev/null | sort | while read -r file; do
      # An empty line ends a stanza; adding one lets awk's paragraph mode see the last.
      awk -v suite="$suite" '
        function value(text) { sub(/^[^:]*: */, "", text); return " " text " " }
        BEGIN { RS = ""; FS = "\n" }
        {
          uri = suites = parts = ""; off = 0
          for (i = 1; i <= NF; i++) {
            if ($i ~ /^URIs:/) { split(value($i), words, " "); uri = words[1] }
            if ($i ~ /^Suites:/) suites = value($i)
            if ($i ~ /^Components:/) parts = value($i)
            if ($i ~ /^Enabled: *(no|false)/) off = 1
          }
          if (!off && index(suites, " " suite " ") && index(parts, " main ")) print uri
        }' "$file"
    done
    cat "$etc/sources.list" "$etc"/sources.list.d/*.list 2>/dev/null |
      sed -nE "s/^deb +(\[[^]]*\] +)?([^ ]+) +$suite +([^ ]+ +)*main( .*)?$/\2/p"
  } | grep . | head -n 1)
  [ -n "$found" ] && printf '%s\n' "$found"
}
