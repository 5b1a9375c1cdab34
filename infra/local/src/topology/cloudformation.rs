//! A CloudFormation template as JSON: the short tags (`!Ref`, `!GetAtt`, ...) written out in their long form.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, json};
use serde_saphyr::Tagged;

/// Reads YAML with CloudFormation's tags. Only syntax is checked here; what a template must hold is the reader's.
pub fn read(text: &str) -> Result<Value, String> {
    let mut options = serde_saphyr::Options::default();
    // YAML 1.1 reads the attribute type `N` as a no.
    options.strict_booleans = true;
    serde_saphyr::from_str_with_options::<Node>(text, options).map(|node| node.0).map_err(|error| error.to_string())
}

/// A node and everything below it, long form.
struct Node(Value);

fn long_form(Tagged(Node(value), tag): Tagged<Node>) -> Node {
    let Some(tag) = tag else { return Node(value) };
    // Tags of YAML itself say nothing that the value does not.
    let Some(name) = tag.strip_prefix('!') else { return Node(value) };
    Node(match name {
        "Ref" | "Condition" => json!({ name: value }),
        "GetAtt" => {
            let parts = match &value {
                Value::String(dotted) => {
                    let (resource, attribute) = dotted.split_once('.').unwrap_or((dotted, ""));
                    json!([resource, attribute])
                }
                parts => parts.clone(),
            };
            json!({ "Fn::GetAtt": parts })
        }
        function => json!({ format!("Fn::{function}"): value }),
    })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNode;

        impl<'de> Visitor<'de> for AnyNode {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a node of a template")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(Node(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                Ok(Node(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node(Value::Null))
            }

            fn visit_none<E>(self) -> Result<Node, E> {
                Ok(Node(Value::Null))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
                Node::deserialize(deserializer)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Node, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = sequence.next_element::<Tagged<Node>>()? {
                    list.push(long_form(item).0);
                }
                Ok(Node(Value::Array(list)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
                let mut map = Map::new();
                while let Some((name, value)) = entries.next_entry::<String, Tagged<Node>>()? {
                    map.insert(name, long_form(value).0);
                }
                Ok(Node(Value::Object(map)))
            }
        }

        deserializer.deserialize_any(AnyNode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_their_long_form() {
        let template = "\
a: !Ref Table
b: !GetAtt Queue.Arn
c: !Sub \"${AWS::StackName}-x\"
d: !If [HasHost, !Sub \"https://${Host}\", !GetAtt Pages.ApiEndpoint]
e: [1, true, null, text, N]
f: !Not [!Equals [!Ref Host, \"\"]]
";
        assert_eq!(
            read(template).unwrap(),
            json!({
                "a": { "Ref": "Table" },
                "b": { "Fn::GetAtt": ["Queue", "Arn"] },
                "c": { "Fn::Sub": "${AWS::StackName}-x" },
                "d": { "Fn::If": ["HasHost", { "Fn::Sub": "https://${Host}" }, { "Fn::GetAtt": ["Pages", "ApiEndpoint"] }] },
                "e": [1, true, null, "text", "N"],
                "f": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "Host" }, ""] }] },
            })
        );
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_place() {
        assert!(read("a: [1").unwrap_err().contains("line"));
    }
}
