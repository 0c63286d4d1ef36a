"""The knowledge base: articles, and which of them a question is about.

Importing this package costs nothing: the model and the vector store are loaded when they are first made.
"""
