"""Vidgen inside other programs: what they load; see the README.md beside this file."""
