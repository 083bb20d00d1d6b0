"""What is made of the facts for people and the outside world. A far side is changed one safe, repeatable step at a time."""
