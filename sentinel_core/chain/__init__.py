"""The data plane: stages compiled to tuples, one `Exchange` per request.

`plan` verifies the stages, `compile` builds a `Chain`, `exchange` runs one request's way in and out (`inward`,
`outward`); `derive` makes the half a guard did not write; `faults` and `clock` apply fault policy and timeouts;
`layers` is one stage of a stream, `stream` its two ends; `endings` owns every close, `finish` every finisher.
"""

from sentinel_core.chain.compile import Chain
from sentinel_core.chain.endings import Tracker
from sentinel_core.chain.exchange import Exchange
from sentinel_core.chain.plan import ChainPlan, StagePlan, StageRow
from sentinel_core.chain.stream import Delivery

__all__ = ["Chain", "ChainPlan", "Delivery", "Exchange", "StagePlan", "StageRow", "Tracker"]
