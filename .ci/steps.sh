# What .ci/run and .ci/nightly share: steps that are counted, and the Nodes they run on. To be sourced.
# The last line is 'N passed, N failed, N skipped': a suite counts test by test, every other step as one.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export NO_COLOR=1
unset FORCE_COLOR

scratch=$(mktemp -d)
log=$scratch/log
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0 skipped=0

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  exit $((failed > 0))
}

# run NAME COMMAND...: shows its output and keeps it in $log
run() {
  echo "== $1 (Node $(node -p process.versions.node))"
  shift
  "$@" 2>&1 | tee "$log"
}

step() {
  if run "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# total LABEL: the number behind uvu's 'LABEL:' in $log, or 0
total() {
  awk -v label="$1:" '$1 == label { n = $2 } END { print n + 0 }' "$log"
}

# suite NAME COMMAND...: a run of uvu, counted test by test
suite() {
  local status=0
  run "$@" || status=$?
  count "$status"
}

# count STATUS: the tests in $log of a run that ended with STATUS
count() {
  local status=$1 before=$failed
  passed=$((passed + $(total Passed)))
  skipped=$((skipped + $(total Skipped)))
  failed=$((failed + $(total Total) - $(total Passed)))
  # it died before it could count, or found nothing to count
  if [ "$status" -ne 0 ] || [ "$(total Total)" -eq 0 ]; then [ "$failed" -gt "$before" ] || failed=$((failed + 1)); fi
}

# beside FILE COMMAND...: starts a run of uvu that writes to FILE and goes on beside what follows
beside() {
  local file=$1
  shift
  "$@" >"$file" 2>&1 &
  beside=$!
}

# joined NAME FILE: waits for what `beside` started, shows what it wrote, and counts it
joined() {
  local status=0
  wait "$beside" || status=$?
  run "$1" cat "$2"
  count "$status"
}

own_path=$PATH

# use_node MAJOR: the Node of this machine if it is that one, else npm's package of it, with its headers for what is compiled
use_node() {
  PATH=$own_path
  unset npm_config_nodedir
  if [ "$(node -p 'process.versions.node.split(".")[0]')" = "$1" ]; then return; fi
  local folder=$scratch/node$1
  if [ ! -d "$folder" ]; then npm install --silent --no-save --prefix "$folder" "node@$1"; fi
  PATH=$folder/node_modules/node/bin:$own_path
  local headers
  headers=$(find "$folder" -type d -path '*/include/node' | head -n 1)
  if [ -n "$headers" ]; then export npm_config_nodedir=${headers%/include/node}; fi
  [ "$(node -p 'process.versions.node.split(".")[0]')" = "$1" ]
}

# apt PROGRAM PACKAGE...: installs the packages where the program is missing and there is apt
apt() {
  local program=$1
  shift
  if command -v "$program" >/dev/null || ! command -v apt-get >/dev/null; then return; fi
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

# experiments [--quick]: the programs of docs/experiments, each a step of its own
experiments() {
  local program
  for program in docs/experiments/*.mjs; do step "experiment $(basename "$program" .mjs)" node "$program" "$@"; done
}

# package: the packed library, installed, behind bundlers and on other platforms; where a browser cannot be had, it fails
package() {
  apt "${CHROMIUM:-/usr/bin/chromium}" chromium
  npm ci --prefix test/browser && npm ci --prefix test/package && node test/package/run.mjs
}
