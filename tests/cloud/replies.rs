//! The way of a reply into a deployment: SES's receipt rule, its topic, the queue that ingest reads. Whoever else could come
//! that way could answer in anybody's name, since ingest believes the verdicts that SES puts beside a mail.

use holdpoint_tests::repository;
use serde_json::{Value, json};

use crate::transformed::{FUNCTIONS, template};

/// What is there only where replies are taken.
const PARTS: [&str; 4] = ["Replies", "RepliesFromSesAlone", "RepliesToTheQueue", "ReceiveReplies"];

fn statements(policy: &Value) -> Vec<&Value> {
    policy["PolicyDocument"]["Statement"].as_array().into_iter().flatten().collect()
}

#[test]
fn replies_are_taken_where_an_address_is_set_and_nowhere_else() {
    for part in PARTS {
        assert_eq!(template().whole(part)["Condition"], "TakesReplies", "{part}");
    }
    let written = std::fs::read_to_string(repository().join("infra/template.yaml")).expect("the template");
    assert!(written.contains("TakesReplies: !Not [!Equals [!Ref ReplyAddress, \"\"]]"));
    // Who is mailed is asked to answer to the very address that is received.
    assert_eq!(template().variables("Notify")["REPLY_ADDRESS"], json!({ "Ref": "ReplyAddress" }));
}

/// Without the scan there is no verdict, and without its topic's rights and its subscription a mail that comes is lost.
#[test]
fn the_rule_hands_over_every_mail_to_that_address_with_its_verdicts() {
    let receive = template().resource("ReceiveReplies");
    let rule = &receive["Rule"];
    assert_eq!((&rule["Enabled"], &rule["ScanEnabled"]), (&json!(true), &json!(true)));
    assert_eq!(rule["Recipients"], json!([{ "Ref": "ReplyAddress" }]));
    let action = json!([{ "SNSAction": { "TopicArn": { "Ref": "Replies" }, "Encoding": "Base64" } }]);
    assert_eq!(rule["Actions"], action, "one action: nothing of a mail is kept elsewhere");
    let first = template().whole("ReceiveReplies")["DependsOn"].as_array().cloned().unwrap_or_default();
    assert!(["RepliesFromSesAlone", "RepliesToTheQueue"].iter().all(|part| first.contains(&json!(part))), "{first:?}");
    let subscription = template().resource("RepliesToTheQueue");
    let expected = [("TopicArn", json!({ "Ref": "Replies" })), ("Protocol", json!("sqs"))];
    assert!(expected.iter().all(|(name, value)| subscription[*name] == *value), "{subscription}");
    assert_eq!(subscription["Endpoint"]["Fn::GetAtt"], json!(["SourceEvents", "Arn"]));
}

/// Least privilege: one action, on one topic, by one service, for one rule of this account; and nothing for any function.
#[test]
fn nobody_but_that_rule_may_publish_a_reply() {
    let policies = template().of_type("AWS::SNS::TopicPolicy");
    assert_eq!(policies.keys().collect::<Vec<_>>(), [&"RepliesFromSesAlone"]);
    let policy = template().resource("RepliesFromSesAlone");
    assert_eq!(policy["Topics"], json!([{ "Ref": "Replies" }]));
    let [allowed] = statements(policy)[..] else { panic!("expected one statement in {policy}") };
    let name = template().resource("ReceiveReplies")["Rule"]["Name"]["Fn::Sub"].as_str().expect("the rule's name");
    let rule = format!(
        "arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:receipt-rule-set/${{ReceiptRuleSet}}:receipt-rule/{name}"
    );
    let expected = json!({
        "Sid": "ReceiptRule", "Effect": "Allow", "Principal": { "Service": "ses.amazonaws.com" },
        "Action": "sns:Publish", "Resource": { "Ref": "Replies" },
        "Condition": {
            "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } },
            "ArnEquals": { "aws:SourceArn": { "Fn::Sub": rule } },
        },
    });
    assert_eq!(*allowed, expected);
    for function in FUNCTIONS {
        for statement in template().statements(function) {
            let other =
                statement.actions.iter().find(|action| action.starts_with("sns:") || action.contains("Receipt"));
            assert_eq!(other, None, "{function}: {}", statement.sid);
        }
    }
}

/// The topic may put on the queue, as topics of this account alone may.
#[test]
fn the_topic_of_replies_may_put_on_the_queue_that_ingest_reads() {
    let policies = template().of_type("AWS::SQS::QueuePolicy");
    let allowed: Vec<&Value> = policies
        .values()
        .flat_map(|policy| statements(policy))
        .filter(|one| one["Effect"] == "Allow" && one["Principal"]["Service"] == "sns.amazonaws.com")
        .collect();
    let [allowed] = allowed[..] else { panic!("expected one statement for topics, found {allowed:?}") };
    assert_eq!(
        (&allowed["Action"], &allowed["Resource"]["Fn::GetAtt"]),
        (&json!("sqs:SendMessage"), &json!(["SourceEvents", "Arn"]))
    );
    let of_account =
        json!({ "ArnLike": { "aws:SourceArn": { "Fn::Sub": "arn:${AWS::Partition}:sns:*:${AWS::AccountId}:*" } } });
    assert_eq!(allowed["Condition"], of_account);
}
