"""A stack in this process, made by CloudFormation: two buckets, a ledger, a topic, machines without runs."""

import boto3

TEMPLATE = """
Resources:
  Work: {Type: "AWS::S3::Bucket"}
  Landing: {Type: "AWS::S3::Bucket"}
  Ledger:
    Type: "AWS::DynamoDB::Table"
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: group, KeyType: HASH}, {AttributeName: entry, KeyType: RANGE}]
      AttributeDefinitions:
        - {AttributeName: group, AttributeType: S}
        - {AttributeName: entry, AttributeType: S}
  Mlops: {Type: "AWS::SNS::Topic"}
  Training: &machine
    Type: "AWS::StepFunctions::StateMachine"
    Properties:
      DefinitionString: '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'
      RoleArn: "arn:aws:iam::123456789012:role/machine"
  Inference: *machine
  Comparison: *machine
Outputs:
  TrainingMachineArn: {Value: !Ref Training}
  InferenceMachineArn: {Value: !Ref Inference}
  ComparisonMachineArn: {Value: !Ref Comparison}
  TimeZone: {Value: UTC}
  DeadlineDay: {Value: "10"}
  DeadlineHour: {Value: "8"}
  WorkBucket: {Value: !Ref Work}
  LandingBucket: {Value: !Ref Landing}
  LedgerTable: {Value: !Ref Ledger}
  MlopsTopicArn: {Value: !Ref Mlops}
"""


def create(name: str = "labelmill") -> dict[str, str]:
    """Make the stack; its outputs by name. Within the fixture `emulated_aws`."""
    client = boto3.client("cloudformation")
    client.create_stack(StackName=name, TemplateBody=TEMPLATE)
    outputs = client.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}
