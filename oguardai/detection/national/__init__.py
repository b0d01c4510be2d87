"""Declare the numbers by which countries know people, firms and vehicles, a module for each part of the world."""
