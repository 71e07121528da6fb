"""Real tables over years: models trained on their first years, and what each monitor said in the later ones."""
