"""The data plane: stages compiled to tuples, one `Exchange` per request.

`plan` verifies the stages, `compile` builds a `Chain` of their `entry`s, `exchange` runs one request's way in and out:
`inward`, `dispatching`, `calling` the provider, `outward`, `restoring`. `results` checks what phases return; `derive`
makes the half a guard did not write; `faults`, `snapshot` and `clock` apply fault policy and timeouts; `layers` and
`pipe` run the stages of a stream, `stream` is its two ends; `endings` owns every close, `finish` every finisher.
"""

from sentinel_core.chain.compile import Chain
from sentinel_core.chain.endings import Tracker
from sentinel_core.chain.exchange import Exchange
from sentinel_core.chain.plan import ChainPlan, StagePlan, StageRow
from sentinel_core.chain.stream import Delivery

__all__ = ["Chain", "ChainPlan", "Delivery", "Exchange", "StagePlan", "StageRow", "Tracker"]
