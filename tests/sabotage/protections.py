"""Every protection that has a test, and what switches it off."""

from typing import NamedTuple


class Sabotage(NamedTuple):
    """A protection, where it stands, what it becomes, and who should notice."""

    protection: str
    file: str
    text: str
    becomes: str
    noticed_by: str


EXPERIMENTS = "tests/core/experiments"
COHORTS = f"{EXPERIMENTS}/cohorts"
FAILPOINTS = "tests/service/test_failpoints.py"
SABOTAGES = [
    Sabotage(
        "a page of elsewhere changes nothing",
        "api/browsers.py",
        'return site not in ("same-origin", "none")',
        "return False",
        "tests/api/test_browsers.py::test_only_pages_of_the_service_and_programs_change_something",
    ),
    Sabotage(
        "a key that has ended opens nothing",
        "api/identity.py",
        " or key.ended:",
        ":",
        "tests/api/test_keys.py::test_a_key_ends_in_every_process_within_a_second",
    ),
    Sabotage(
        "the scope of a key",
        "api/auth.py",
        "if caller.scope < KeyScope.SUBMIT and",
        "if False and",
        "tests/api/test_keys.py::test_a_key_that_reads_changes_nothing",
    ),
    Sabotage(
        "who owns an experiment",
        "api/callers.py",
        "if (self.id is None or self.id != owner) and self.role(project)",
        "if False and self.role(project)",
        "tests/api/test_keys.py::test_only_the_owner_and_admins_change_an_experiment",
    ),
    Sabotage(
        "a process that could not read the keys lets nobody in",
        "api/keys/_ring.py",
        "return bool(self._all) or self._users or not self.is_known",
        "return bool(self._all) or self._users",
        "tests/api/test_keys.py::test_while_the_keys_cannot_be_read_nobody_new_comes_in",
    ),
    Sabotage(
        "an ETag changes with the energy",
        "core/experiments/queries/read.py",
        "    func.sum(Run.energy_kwh),",
        "",
        "tests/api/test_control.py::test_what_is_shown_around_a_pause_changes_the_etag",
    ),
    Sabotage(
        "fence: a write names its attempt",
        "core/experiments/cohorts/leases.py",
        " & (Cohort.attempt == held.attempt)",
        "",
        f"{COHORTS}/test_claims.py::test_a_zombie_is_fenced_at_every_write",
    ),
    Sabotage(
        "fence: a write names its holder",
        "core/experiments/cohorts/leases.py",
        " & (Cohort.holder == held.holder)",
        "",
        f"{COHORTS}/test_claims.py::test_who_took_an_attempt_that_is_counted_again_is_fenced",
    ),
    Sabotage(
        "fence: a write expects a running cohort",
        "core/experiments/cohorts/leases.py",
        "(Cohort.attempt == held.attempt) & (Cohort.status == Status.RUNNING)",
        "(Cohort.attempt == held.attempt)",
        f"{COHORTS}/test_claims.py::test_an_ended_cohort_stays_ended",
    ),
    Sabotage(
        "a status changes from the one that is expected",
        "core/experiments/cohorts/states.py",
        ".where(rows.status == start)",
        "",
        f"{COHORTS}/test_states.py::test_a_transition_moves_only_what_has_the_expected_status",
    ),
    Sabotage(
        "a transition that is not in the table raises",
        "core/experiments/cohorts/states.py",
        "if to not in table[Status(start)]:",
        "if False:",
        f"{COHORTS}/test_states.py::test_every_pair_is_a_transition_or_raises",
    ),
    Sabotage(
        "the claim expects a queued cohort and skips what others hold",
        "core/experiments/cohorts/claims.py",
        "        .with_for_update(skip_locked=True, of=Cohort)\n        .scalar_subquery()\n    )\n"
        "    cohort = session.scalar(\n        transition(Cohort, start=Status.QUEUED, to=Status.RUNNING)\n",
        "        .scalar_subquery()\n    )\n"
        "    cohort = session.scalar(\n        __import__('sqlalchemy').update(Cohort).values(status='running')\n",
        f"{COHORTS}/test_claims.py::test_many_workers_claim_every_cohort_once",
    ),
    Sabotage(
        "rollback of the tail",
        "core/experiments/cohorts/claims.py",
        "    roll_back(session, cohort)\n    started",
        "    started",
        f"{COHORTS}/test_claims.py::test_a_lost_cohort_starts_again_without_its_old_points",
    ),
    Sabotage(
        "BEGIN IMMEDIATE",
        "core/store/database.py",
        '"BEGIN" if readonly else "BEGIN IMMEDIATE"',
        '"BEGIN"',
        "tests/core/store/test_database.py::test_concurrent_increments_are_all_kept",
    ),
    Sabotage(
        "the sweep takes back what a dead worker holds",
        "core/experiments/maintenance/sweeper.py",
        "if dead or (row.expired and not skip_expired):",
        "if False:",
        f"{EXPERIMENTS}/maintenance/test_sweeper.py::test_a_clock_that_jumps_in_a_process_moves_no_lease",
    ),
    Sabotage(
        "the sweep knows that a process of its host is gone",
        "core/experiments/maintenance/sweeper.py",
        "dead = is_dead(row.holder)",
        "dead = False",
        f"{EXPERIMENTS}/maintenance/test_sweeper.py::test_a_dead_process_of_this_host_loses_its_cohort_before_its_lease_ends",
    ),
    Sabotage(
        "a sweep names the attempt that it ends",
        "core/experiments/cohorts/recovery.py",
        "Cohort.attempt == attempt, ",
        "",
        f"{EXPERIMENTS}/maintenance/test_sweeper.py::test_a_sweeper_that_was_slow_does_not_end_the_next_attempt",
    ),
    Sabotage(
        "attempts without progress are counted",
        "core/experiments/cohorts/recovery.py",
        "lost=Cohort.lost + 1",
        "lost=Cohort.lost",
        f"{EXPERIMENTS}/maintenance/test_sweeper.py::test_a_run_that_takes_its_workers_with_it_fails_with_the_reason",
    ),
    Sabotage(
        "progress resets the count",
        "core/experiments/cohorts/leases.py",
        ' | {"lost": 0}',
        "",
        f"{COHORTS}/test_checkpoints.py::test_progress_is_no_poison",
    ),
    Sabotage(
        "the file is on the disk before its row names it",
        "core/experiments/worker/checkpoint_writer.py",
        "            ref = self._store.write(checkpoint)\n",
        "            name = f'{self._store._cohort}-{self._store._attempt}-{checkpoint.step}.safetensors'\n"
        "            ref = CheckpointRef(name=name, sha256='0' * 64, step=checkpoint.step, epochs=checkpoint.epochs)\n"
        "            threading.Timer(0.3, self._store.write, [checkpoint]).start()\n",
        f"{FAILPOINTS}::test_a_worker_killed_at_any_point_between_two_writes_changes_nothing"
        "[checkpoint.before_write-sqlite+filesystem]",
    ),
    Sabotage(
        "a checkpoint's SHA-256 is checked",
        "core/experiments/cohorts/checkpoints.py",
        "if _sha256(path) != ref.sha256:",
        "if False:",
        f"{COHORTS}/test_checkpoints.py::test_a_damaged_checkpoint_is_forgotten_with_its_points",
    ),
    Sabotage(
        "the file is written under another name and renamed",
        "core/training/tensor_files.py",
        'temporary = path.with_name(f".{path.name}.{os.getpid()}")',
        "temporary = type('InPlace', (type(path),), {'unlink': lambda *_, **__: None})(path)",
        "tests/core/training/test_checkpoint.py::test_a_write_that_fails_leaves_the_last_one_whole",
    ),
    Sabotage(
        "the one before is kept",
        "core/experiments/worker/checkpoint_writer.py",
        "self._clear(checkpoint, self.resume_from)\n        self.resume_from = ",
        "self._clear(checkpoint)\n        self.resume_from = ",
        f"{FAILPOINTS}::test_a_torn_checkpoint_gives_way_to_the_one_before_it[sqlite+filesystem]",
    ),
    Sabotage(
        "a recorder that cannot renew stops its trainer",
        "core/experiments/worker/recorder.py",
        'self._stop("silent")  #',
        "pass  #",
        f"{EXPERIMENTS}/worker/test_recorder.py::test_a_worker_that_cannot_renew_stops_before_others_may_claim",
    ),
    Sabotage(
        "the lease is renewed while a file store that is away says so",
        "core/experiments/worker/recorder.py",
        "        self._checkpoints.join()  # the lease",
        "        self.abandon()\n        self._checkpoints.join()  # the lease",
        f"{EXPERIMENTS}/worker/test_recorder.py::test_a_file_store_that_takes_long_to_fail_costs_no_lease",
    ),
    Sabotage(
        "blocks whose commit failed wait for the next",
        "core/experiments/cohorts/leases.py",
        "self.blocks + later.blocks",
        "later.blocks",
        f"{EXPERIMENTS}/worker/test_recorder.py::test_points_wait_for_the_database_and_are_stored_once",
    ),
    Sabotage(
        "a block that is stored already is no error",
        "core/experiments/cohorts/points.py",
        "insert(table).on_conflict_do_nothing()",
        "insert(table)",
        f"{COHORTS}/test_claims.py::test_storing_the_same_blocks_again_changes_nothing",
    ),
    Sabotage(
        "what is done after a commit is not done before it",
        "core/store/database.py",
        "    session.info.setdefault(AFTER_COMMIT, []).append(call)",
        "    call()",
        "tests/core/store/test_database.py::test_after_commit_runs_once_durable_and_never_otherwise",
    ),
    Sabotage(
        "the same Idempotency-Key makes one experiment",
        "core/experiments/requests/submit.py",
        "if known is not None:",
        "if False:",
        "tests/api/test_experiments.py::test_an_idempotency_key_makes_one_experiment",
    ),
    Sabotage(
        "no worker of before takes what is posted after an upgrade",
        "core/experiments/worker/worker.py",
        "leaves = not is_current(session) or is_draining(",
        "leaves = is_draining(",
        f"{EXPERIMENTS}/worker/test_versions.py::test_after_an_upgrade_it_takes_nothing_and_ends",
    ),
    Sabotage(
        "a worker of before gives back what it trains after an upgrade",
        "core/experiments/cohorts/heartbeat.py",
        "if not self._draining and not is_current(session):",
        "if False:",
        f"{EXPERIMENTS}/worker/test_versions.py::test_what_it_trains_goes_on_elsewhere_from_there",
    ),
    Sabotage(
        "an experiment that names what is not here is left to others",
        "core/experiments/cohorts/unreadable.py",
        "    if absent:\n",
        "    if False:\n",
        f"{EXPERIMENTS}/worker/test_versions.py::test_a_spec_of_later_waits_for_a_worker_that_understands_it",
    ),
    Sabotage(
        "a training that hangs ends its process",
        "core/experiments/worker/recorder.py",
        "if waited is not None:",
        "if False:",
        "tests/service/test_failing_trainings.py::test_cancel_ends_a_training_that_hangs",
    ),
    Sabotage(
        "the filesystem transport puts and takes whole messages",
        "core/queue/filesystem.py",
        "draft.write_text(dumps(payload))\n        draft.replace(Path(self.data_folder_out, name))\n",
        "Path(self.data_folder_out, name).write_text(dumps(payload))\n",
        "tests/core/queue/test_filesystem.py::test_every_message_is_taken_once_by_one_of_many_readers",
    ),
]
