"""Databases differ: every test of what they are used with runs on both."""

from tests.support.databases import run_on_both_databases

pytest_generate_tests = run_on_both_databases
