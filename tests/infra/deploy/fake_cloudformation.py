"""CloudFormation with the life of a stack as AWS documents it; requests must be valid for botocore.

It makes nothing but names in a `FakeAccount` (fake_account.py), which also says what is to fail. Rules are
from CloudFormation's user guide (UG) and API reference (API), or as named.
"""

import copy
import itertools
import json
from datetime import UTC, datetime
from types import SimpleNamespace

from botocore.exceptions import ClientError, WaiterError

from infra.deploy.cfn_yaml import load, refers
from infra.local.aws_models import check, service_model

IDENTIFIERS = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECR::Repository": "RepositoryName",
}
KEY = "AWS::KMS::Key"
#: From which a change set may start (API: RollbackStack, "last known stable state").
STABLE = (
    *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
    *("IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
)


class Failure(Exception):
    """A resource could not be made, changed or deleted."""

    def __init__(self, logical: str, reason: str):
        super().__init__(reason)
        self.logical = logical


class FakeStack:
    def __init__(self, name: str, number: int):
        self.name = name
        self.id = f"arn:aws:cloudformation:eu-central-1:123456789012:stack/{name}/{number:08}"
        self.status = "REVIEW_IN_PROGRESS"
        self.template: dict = {"Resources": {}}
        self.parameters: dict[str, str] = {}
        self.made: dict[str, str] = {}  # physical by logical name
        self.events: list[dict] = []
        self.left_over: set[str] = set()  # what a rollback has not got rid of
        self.let_go: set[str] = set()  # what a rolled back import has listed still


class FakeCloudFormation:
    def __init__(self, account):
        self.account = account
        self.stacks: dict[str, FakeStack] = {}
        self.gone: dict[str, FakeStack] = {}
        self.change_sets: dict[str, dict] = {}
        self.numbers = itertools.count(1)

    def __getattr__(self, name):
        answer = object.__getattribute__(self, f"do_{name}")
        operation = "".join(word.capitalize() for word in name.split("_"))

        def call(**request):
            check(request, service_model("cloudformation").operation_model(operation))
            self.account.refuse(operation)
            return answer(**request)

        return call

    def stack(self, name: str) -> FakeStack:
        found = self.stacks.get(name) or next(
            (stack for stack in (*self.stacks.values(), *self.gone.values()) if stack.id == name), None
        )
        if not found:
            raise invalid(f"Stack with id {name} does not exist")
        return found

    # ------------------------------------------------------------ looking

    def do_describe_stacks(self, StackName):
        stack = self.stack(StackName)
        outputs = [
            {"OutputKey": key, "OutputValue": self._value(stack, output["Value"])}
            for key, output in stack.template.get("Outputs", {}).items()
            if stack.status in STABLE
        ]
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()]
        described = {"StackId": stack.id, "StackStatus": stack.status, "Parameters": given}
        return {"Stacks": [described | {"Outputs": outputs}]}

    def _value(self, stack: FakeStack, value: object) -> str:
        match value:
            case {"Ref": str(name)} if name in stack.template.get("Parameters", {}):
                return stack.parameters.get(name, stack.template["Parameters"][name].get("Default", ""))
            case {"Ref": logical}:
                return stack.made[logical]
            case {"Fn::GetAtt": [logical, attribute]}:
                return f"{stack.made[logical]}/{attribute}"
        return json.dumps(value)

    def get_paginator(self, operation):
        pages = {"describe_stack_events": self._events, "list_stack_resources": self._resources}
        return SimpleNamespace(paginate=pages[operation])

    def _events(self, StackName):
        yield {"StackEvents": list(self.stack(StackName).events)}

    def _resources(self, StackName):
        stack = self.stack(StackName)
        held = [{"LogicalResourceId": logical, "ResourceStatus": "CREATE_COMPLETE"} for logical in stack.made]
        gone = [
            {"LogicalResourceId": logical, "ResourceStatus": "IMPORT_ROLLBACK_COMPLETE"}
            for logical in stack.let_go
        ]
        yield {"StackResourceSummaries": held + gone}

    def get_waiter(self, name):
        assert name == "change_set_create_complete"
        return self

    def wait(self, StackName, ChangeSetName, WaiterConfig):
        if self.change_sets[ChangeSetName]["Status"] == "FAILED":
            raise WaiterError(name="w", reason="failed", last_response={})

    def do_describe_change_set(self, StackName, ChangeSetName):
        return self.change_sets[ChangeSetName]

    def do_detect_stack_drift(self, StackName):
        return {"StackDriftDetectionId": StackName}

    def do_describe_stack_drift_detection_status(self, StackDriftDetectionId):
        if reason := self.account.faults.get(("detect", "drift")):
            return {"DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": reason}
        return {"DetectionStatus": "DETECTION_COMPLETE"}

    def do_describe_stack_resource_drifts(self, StackName, StackResourceDriftStatusFilters):
        return {"StackResourceDrifts": self.account.drifts}

    # ------------------------------------------------------------ change sets

    def do_create_change_set(
        self, StackName, ChangeSetName, ChangeSetType, Parameters, ResourcesToImport=(), **request
    ):
        text = request.get("TemplateBody") or self.account.object_at(request["TemplateURL"])
        template = copy.deepcopy(load(text))
        parameters = {item["ParameterKey"]: item["ParameterValue"] for item in Parameters}
        # API, CreateChangeSet: TemplateBody has at most 51,200 bytes, which botocore's model does not say.
        assert len(request.get("TemplateBody", "").encode()) <= 51_200
        assert parameters.keys() <= template.get("Parameters", {}).keys()
        stack = self.stacks.get(StackName)
        if ChangeSetType == "UPDATE" and not stack:
            raise invalid(f"Stack [{StackName}] does not exist")
        if stack and ChangeSetType == "CREATE" and stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(
                f"Stack [{StackName}] already exists and cannot be created again with the changeSet"
            )
        if stack and stack.status not in ("REVIEW_IN_PROGRESS", *STABLE):
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        if not stack:
            stack = self.stacks[StackName] = FakeStack(StackName, next(self.numbers))
            self._event(stack, stack.name, stack.id, "REVIEW_IN_PROGRESS")
        made = {
            "Status": "CREATE_COMPLETE",
            "StackName": StackName,
            "Type": ChangeSetType,
            "Template": template,
            "Parameters": parameters,
            "Changes": [
                {
                    "ResourceChange": {
                        "Action": "Modify" if logical in stack.made else "Add",
                        "LogicalResourceId": logical,
                        "ResourceType": resource["Type"],
                    }
                }
                for logical, resource in template["Resources"].items()
                if resource != stack.template["Resources"].get(logical)
            ],
        }
        if ChangeSetType == "IMPORT":
            made["Import"] = self._importable(stack, template, list(ResourcesToImport))
        elif (template, parameters) == (stack.template, stack.parameters):
            # The words are AWS's, as the AWS CLI looks for them (aws-cli, cloudformation/deployer.py).
            reason = "The submitted information didn't contain changes. Submit different information."
            made |= {"Status": "FAILED", "StatusReason": reason}
        identity = f"arn:aws:cloudformation:eu-central-1:123456789012:changeSet/c/{next(self.numbers)}"
        self.change_sets[identity] = made
        return {"Id": identity}

    def _importable(self, stack: FakeStack, template: dict, asked: list[dict]) -> dict[str, str]:
        """UG, "Bring existing resources into CloudFormation management": considerations during an import."""
        found = {}
        for item in asked:
            logical, kind = item["LogicalResourceId"], item["ResourceType"]
            [identifier] = item["ResourceIdentifier"].values()
            resource = template["Resources"][logical]
            assert resource["Type"] == kind
            assert "DeletionPolicy" in resource, "each resource to import must have a DeletionPolicy"
            if (kind, identifier) not in self.account.things:
                raise invalid(f"{kind} {identifier} does not exist")
            if self.account.things[kind, identifier]["stack"]:
                raise invalid(f"{identifier} already exists in a stack")
            wanted = resource["Properties"].get(IDENTIFIERS.get(kind), identifier)
            assert wanted == identifier, "names have to be those of what is imported, without functions"
            found[logical] = identifier
        # An import does nothing besides (UG, as above): no other resource, no output.
        assert template["Resources"].keys() - stack.made.keys() == found.keys()
        assert "Outputs" not in template
        known = found.keys() | template["Parameters"].keys() | stack.made.keys()
        assert refers(template["Resources"]) <= known, "what is referred to must be in the template"
        return found

    def do_delete_change_set(self, StackName, ChangeSetName):
        del self.change_sets[ChangeSetName]

    def do_execute_change_set(self, StackName, ChangeSetName):
        planned, stack = self.change_sets.pop(ChangeSetName), self.stacks[StackName]
        before = stack.template, stack.parameters, dict(stack.made)
        kind = planned["Type"]
        new = kind == "CREATE"
        stack.template, stack.parameters = planned["Template"], planned["Parameters"]
        self._rest(stack, f"{kind}_IN_PROGRESS")
        try:
            for logical, resource in stack.template["Resources"].items():
                self._bring(stack, logical, resource, planned.get("Import", {}), before[0])
        except Failure as failure:
            self._event(stack, failure.logical, failure.logical, f"{kind}_FAILED", str(failure))
            rolled = "ROLLBACK" if new else f"{kind}_ROLLBACK"
            self._rest(stack, f"{rolled}_IN_PROGRESS")
            made = stack.made.keys() - before[2].keys()
            stack.template, stack.parameters, _ = before if not new else (stack.template, {}, {})
            stack.left_over = self._take_back(stack, made, deleting=kind != "IMPORT")
            self._rest(stack, f"{rolled}_FAILED" if stack.left_over else f"{rolled}_COMPLETE")
        else:
            self._rest(stack, f"{kind}_COMPLETE")

    def _bring(self, stack, logical, resource, imported, earlier) -> None:
        kind = resource["Type"]
        if logical in imported:
            self._try("import", logical)
            stack.made[logical] = imported[logical]
            self.account.things[kind, imported[logical]]["stack"] = stack.id
            return
        if logical not in stack.made:
            self._try("create", logical)
            physical = self.account.name_of(resource, stack.parameters) or f"{logical}-{next(self.numbers)}"
            if (kind, physical) in self.account.things:
                raise Failure(logical, f"{physical} already exists")
            self.account.things[kind, physical] = {"stack": stack.id, "key": None}
            stack.made[logical] = physical
        elif resource != earlier["Resources"].get(logical):
            self._try("update", logical)
        for key in refers(resource.get("Properties", {})) & stack.made.keys():
            if stack.template["Resources"][key]["Type"] == KEY:
                self.account.things[kind, stack.made[logical]]["key"] = stack.made[key]

    def _take_back(self, stack: FakeStack, logicals: set[str], *, deleting: bool) -> set[str]:
        """UG, DeletionPolicy: RetainExceptOnCreate deletes what the operation made that is rolled back.

        What was imported is let go as it is (UG, "Reverting an import operation").
        """
        kept = set()
        for logical in sorted(logicals):
            try:
                self._try("rollback", logical)
            except Failure as failure:
                self._event(stack, logical, logical, "DELETE_FAILED", str(failure))
                kept.add(logical)
                continue
            physical = stack.made.pop(logical)
            self.account.let_go(physical, deleting)
            if not deleting:
                stack.let_go.add(logical)
        # What an update has changed is changed back, and that can fail as well.
        for logical in sorted(stack.made.keys() - logicals):
            if ("rollback", logical) in self.account.faults:
                self._event(
                    stack, logical, logical, "UPDATE_FAILED", self.account.faults["rollback", logical]
                )
                kept.add(logical)
        return kept

    def do_continue_update_rollback(self, StackName, ResourcesToSkip=(), RoleARN=None):
        stack = self.stack(StackName)
        if stack.status != "UPDATE_ROLLBACK_FAILED":  # API, ContinueUpdateRollback
            raise invalid(
                f"Stack {stack.id} must be in UPDATE_ROLLBACK_FAILED state to continue update rollback"
            )
        self._rest(stack, "UPDATE_ROLLBACK_IN_PROGRESS")
        left = {name for name in stack.left_over - set(ResourcesToSkip)}
        stack.left_over = {name for name in left if ("rollback", name) in self.account.faults}
        for logical in sorted(stack.left_over):
            self._event(stack, logical, logical, "UPDATE_FAILED", self.account.faults["rollback", logical])
        self._rest(stack, f"UPDATE_ROLLBACK_{'FAILED' if stack.left_over else 'COMPLETE'}")

    def do_delete_stack(self, StackName):
        stack = self.stack(StackName)
        if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        self._rest(stack, "DELETE_IN_PROGRESS")
        failed = False
        for logical, physical in list(stack.made.items()):
            retained = stack.template["Resources"][logical].get("DeletionPolicy", "Delete") != "Delete"
            try:
                if not retained:
                    self._try("delete", logical)
            except Failure as failure:
                self._event(stack, logical, physical, "DELETE_FAILED", str(failure))
                failed = True
                continue
            self._event(stack, logical, physical, "DELETE_SKIPPED" if retained else "DELETE_COMPLETE")
            del stack.made[logical]
            self.account.let_go(physical, deleting=not retained)
        self._rest(stack, "DELETE_FAILED" if failed else "DELETE_COMPLETE")
        if not failed:
            self.gone[stack.id] = self.stacks.pop(stack.name)

    # ------------------------------------------------------------ what happens

    def _try(self, action: str, logical: str) -> None:
        if reason := self.account.faults.get((action, logical)):
            raise Failure(logical, reason)

    def _rest(self, stack: FakeStack, status: str) -> None:
        stack.status = status
        self._event(stack, stack.name, stack.id, status)

    def _event(self, stack: FakeStack, logical: str, physical: str, status: str, reason: str = "") -> None:
        event = {
            "EventId": str(next(self.numbers)),
            "StackId": stack.id,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "Timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        }
        stack.events.insert(0, event)


def invalid(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "CloudFormation")
