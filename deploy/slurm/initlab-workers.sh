#!/bin/bash
# Workers from a cluster's queue: `sbatch deploy/slurm/initlab-workers.sh`. Each task of the array is a worker with one GPU, which
# ends when nothing waits, and in order before its time is over. Settings: INITLAB_DATABASE_URL, INITLAB_BROKER_URL,
# INITLAB_FILES_URL and the AWS_ variables, in the environment of who submits it.
#SBATCH --job-name=initlab
#SBATCH --array=1-4
#SBATCH --time=04:00:00
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --signal=B:TERM@60
#SBATCH --output=initlab-%A_%a.log
set -euo pipefail

here="${TMPDIR:-/tmp}/initlab-${SLURM_JOB_ID:-0}"
export INITLAB_DATA_DIR="$here/data" INITLAB_CACHE_DIR="${INITLAB_CACHE_DIR:-$HOME/.cache/initlab}"
mkdir -p "$INITLAB_DATA_DIR"
trap 'rm -rf "$here"' EXIT

# Two minutes before the job is killed: a minute for the last update, and one for the checkpoint on its way.
left=$(( ${SLURM_JOB_END_TIME:-$(( $(date +%s) + 4 * 3600 ))} - $(date +%s) - 120 ))
initlab worker --idle-exit 5m --until "${left}s" &
worker=$!
trap 'kill -TERM "$worker"' TERM
while kill -0 "$worker" 2>/dev/null; do wait "$worker" && code=0 || code=$?; done
exit "$code"
