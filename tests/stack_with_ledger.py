"""A stack in this process, made by CloudFormation: only a work and a landing bucket, a ledger and a topic."""

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
Outputs:
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
