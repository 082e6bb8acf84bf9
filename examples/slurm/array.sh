#!/bin/sh
#SBATCH --job-name=plastogen
#SBATCH --array=1-20
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=02:00:00
# One part of a sweep a task; the same number of parts stands in --array and in PARTS.
#   sbatch array.sh EXPERIMENT [options of `plastogen run`]
#   sbatch --array=3,7 array.sh EXPERIMENT ...      some parts again: what they finished is not run twice
#   plastogen merge EXPERIMENT                      when all are done
set -eu
plastogen run "$@" --shard "${SLURM_ARRAY_TASK_ID}/${PARTS:-20}" --jobs "${SLURM_CPUS_PER_TASK:-1}"
