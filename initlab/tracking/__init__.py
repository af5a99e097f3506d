"""Numbers from trainings that run elsewhere: kept in a journal on disk, sent in the background, at most once each."""
