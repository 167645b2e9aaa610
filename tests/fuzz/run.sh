#!/bin/sh
# run.sh FUZZER SCRATCH SEEDS SECONDS: the seeds first, then new inputs for so long.
set -eu
mkdir -p "$2"
[ -d "$3" ] || { echo "no seed corpus: $3"; exit 1; }
exec "$1" -max_total_time="$4" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
	-artifact_prefix="$2/" "$2" "$3"
