"""Models that run at home, behind servers of their own: what they are asked and what they answer.

`chat` says what a language model is to the rest; `ollama` and `openai_chat` are two ways to reach one, and `detected` finds
out which of them a server speaks. `model_server` sends their requests, within a deadline and, by `home_address`, at home.
"""
