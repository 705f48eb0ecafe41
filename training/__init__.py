"""Training and measuring the networks.

Each layer imports only those above it: ``data``, ``learning``, ``evaluation``, ``reporting``;
``detector``, ``studies`` and ``benchmark`` use all of them.
"""
