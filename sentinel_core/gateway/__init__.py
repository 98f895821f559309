"""The gateway: configuration, providers, stores and the current generation of the chain.

`gateway` is the life cycle and the ways in; `asking` reads what a call in process hands over; `blueprint` is everything
decided before anything is opened; `unshared` refuses what several processes would count apart; `generation` is one
compiled chain with what it holds open; `catalogue` says which targets serve a model; `outside` makes services;
`sources` says where settings come from.
"""

from sentinel_core.gateway.asking import new_id
from sentinel_core.gateway.catalogue import ModelInfo
from sentinel_core.gateway.gateway import Gateway

__all__ = ["Gateway", "ModelInfo", "new_id"]
