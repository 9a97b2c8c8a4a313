"""How hard is each prompt for your model, and in what order should it see them?"""
