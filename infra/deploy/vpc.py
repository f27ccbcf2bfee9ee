"""The state machines for a stack that is given a VPC: the same definitions, and every job in those subnets.

A definition cannot ask whether there is a VPC: substitutions are text inside JSON strings, and a `VpcConfig`
without subnets is refused. So there are two of each, and the template takes one. The second is made from the
reviewed one while the bundle is built, by adding this block and nothing else.
"""

import copy
from typing import Any

VPC_CONFIG = {
    "SecurityGroupIds.$": "States.StringSplit('${VpcSecurityGroups}', ',')",
    "Subnets.$": "States.StringSplit('${VpcSubnets}', ',')",
}
#: Where a request says its network, below Parameters. A transform job runs where its model says.
PLACES = {
    "createProcessingJob": ("NetworkConfig",),
    "createTrainingJob": (),
    "createHyperParameterTuningJob": ("TrainingJobDefinition",),
    "createModel": (),
}


def in_vpc(definition: dict[str, Any]) -> dict[str, Any]:
    """A copy of a state machine definition, with a `VpcConfig` in each request that can have one."""
    changed = copy.deepcopy(definition)
    for state in changed["States"].values():
        action = state.get("Resource", "").removesuffix(".sync").rpartition(":")[2]
        if action in PLACES:
            request = state["Parameters"]
            for name in PLACES[action]:
                request = request.setdefault(name, {})
            request["VpcConfig"] = dict(VPC_CONFIG)
    return changed
