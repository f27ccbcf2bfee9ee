"""moto's change sets, made to do what AWS's do; these tests' server loads it as the module of its worker.

moto 5.2.5 applies a new stack's change set without parameters, mappings and conditions, gives no outputs,
refuses a change set without changes where AWS makes one that FAILED, deletes what a template retains, and
deletes no role that has a managed policy, where CloudFormation detaches it.
"""

from moto.cloudformation import models, parsing
from moto.cloudformation.responses import CloudFormationResponse
from moto.iam.models import Role

from tests.infra.local.fake_worker import FakeWorker

__all__ = ["FakeWorker"]  # for the server

update_existing = models.ChangeSet.apply
delete_all = parsing.ResourceMap.delete


def apply(change_set) -> None:
    stack = change_set.stack
    if change_set.change_set_type == "CREATE":
        stack.template, stack.parameters = change_set.template, change_set.parameters
        stack._parse_template()
        stack.resource_map = stack._create_resource_map()
        stack.resource_map.create(stack.template_dict)
    else:
        update_existing(change_set)
        stack.template, stack.parameters = change_set.template, change_set.parameters
        stack._parse_template()
    stack.output_map = stack._create_output_map()


def delete(resources) -> None:
    for name, definition in list(resources._resource_json_map.items()):
        if definition.get("DeletionPolicy", "Delete") != "Delete":
            resources._parsed_resources.pop(name, None)
            del resources._resource_json_map[name]
    for made in resources._parsed_resources.values():
        if isinstance(made, Role):
            made.managed_policies.clear()
    delete_all(resources)


models.ChangeSet.apply = apply
parsing.ResourceMap.delete = delete
CloudFormationResponse._validate_different_update = lambda self, *others: None
