"""Runs while they get on: in the embedded cloud and in an account alike, by what AWS answers."""
