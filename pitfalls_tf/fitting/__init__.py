"""The ensemble loop: many seeds and folds of a recipe, fitted through one compiled program."""
