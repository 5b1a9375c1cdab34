"""The SAM template of standard input as the CloudFormation template that AWS makes of it, as JSON, without an AWS account."""

import json
import sys

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

# The managed policies that the transform attaches by name; their ARNs are public knowledge.
MANAGED = [
    "service-role/AWSLambdaBasicExecutionRole",
    "service-role/AWSLambdaSQSQueueExecutionRole",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
]
policies = {name.split("/")[-1]: "arn:aws:iam::aws:policy/" + name for name in MANAGED}

translator = Translator(policies, Parser(), boto_session=boto3.Session(region_name="eu-central-1"))
template = translator.translate(yaml_parse(sys.stdin.read()), parameter_values={})
json.dump(template, sys.stdout, indent=1)
