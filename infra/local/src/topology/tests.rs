//! The template read back, and held against what everything else takes for granted.

use super::*;

fn bundle() -> Topology {
    Topology::of_the_bundle().unwrap()
}

#[test]
fn every_function_of_the_architecture_is_there_with_its_source() {
    let topology = bundle();
    let sources: Vec<(&str, Option<&str>)> = topology
        .functions
        .values()
        .map(|function| (function.name.as_str(), function.source.as_ref().map(|source| source.queue.as_str())))
        .collect();
    assert_eq!(
        sources,
        [
            ("acknowledge", None),
            ("adopt", None),
            ("ingest", Some("source-events")),
            ("notify", Some("notices")),
            ("poll", None),
            ("refresh", Some("refresh.fifo")),
            ("tick", None),
        ]
    );
    for function in ["poll", "tick"] {
        let schedule = topology.functions[function].schedule.clone().unwrap();
        assert_eq!(schedule.every_seconds, 60, "{function}");
        assert!(schedule.input.contains("<aws.scheduler.scheduled-time>"), "{function}");
    }
}

#[test]
fn a_function_has_the_memory_of_its_own_or_else_that_of_all() {
    let functions = bundle().functions;
    let megabytes = ["refresh", "notify", "tick"].map(|name| functions[name].memory_megabytes);
    assert_eq!(megabytes, [512, 256, 256]);
}

#[test]
fn every_queue_with_a_reader_has_a_dead_letter_queue_of_its_kind() {
    let topology = bundle();
    for function in topology.functions.values() {
        let Some(source) = &function.source else { continue };
        let queue = &topology.queues[&source.queue];
        let redrive = queue.redrive.as_ref().expect(&queue.name);
        let dead = &topology.queues[&redrive.to];
        assert_eq!(dead.fifo, queue.fifo, "the dead-letter queue of a FIFO queue must be FIFO");
        assert_eq!(dead.fifo, dead.name.ends_with(".fifo"));
        assert!(dead.redrive.is_none());
        assert!(
            dead.retention_seconds >= queue.retention_seconds,
            "age counts from the first sending, so a dead letter must be kept longer"
        );
        assert!(
            queue.visibility_seconds >= 6 * function.timeout_seconds,
            "{}: visible again while {} may still run",
            queue.name,
            function.name
        );
        assert!(source.reports_item_failures, "{}: one bad message would fail its batch", function.name);
        assert!(source.most_at_once.is_some_and(|most| most >= 2), "SQS mappings take at least 2");
    }
    assert_eq!(topology.dead_letter_queues().count(), 3);
}

#[test]
fn event_ids_are_remembered_longer_than_any_message_can_wait() {
    const EVENT_DAYS: u32 = 35;
    for queue in bundle().queues.values() {
        assert!(2 * queue.retention_seconds < EVENT_DAYS * 86_400, "{}: waiting, then dead-lettered", queue.name);
    }
}

#[test]
fn the_table_has_the_keys_and_the_index_the_store_uses() {
    let table = bundle().table;
    assert_eq!((table.partition_key.as_str(), table.sort_key.as_str()), ("pk", "sk"));
    assert_eq!(table.expires.as_deref(), Some("expires_at"));
    let index = &table.definition["GlobalSecondaryIndexes"][0];
    assert_eq!(index["IndexName"], "due");
    assert_eq!(index["Projection"]["ProjectionType"], "KEYS_ONLY");
    assert_eq!(index["KeySchema"][0]["AttributeName"], "due_shard");
    assert_eq!(index["KeySchema"][1]["AttributeName"], "due_at");
    let index = &table.definition["GlobalSecondaryIndexes"][1];
    assert_eq!(index["IndexName"], "seen");
    assert_eq!(index["Projection"]["ProjectionType"], "ALL");
    assert_eq!(index["KeySchema"][0]["AttributeName"], "seen_shard");
    assert_eq!(index["KeySchema"][1]["AttributeName"], "seen_at");
}

#[test]
fn links_answer_get_head_and_post_and_nothing_else() {
    let topology = bundle();
    let of = |path: &str| -> Vec<(&str, &str)> {
        let routes = topology.routes.iter().filter(|route| route.path == path);
        routes.map(|route| (route.method.as_str(), route.function.as_str())).collect()
    };
    assert_eq!(of("/adopt/{token}"), [("GET", "adopt"), ("HEAD", "adopt"), ("POST", "adopt")]);
    assert_eq!(of("/acknowledge/{token}"), [("GET", "acknowledge"), ("HEAD", "acknowledge"), ("POST", "acknowledge")]);
    assert_eq!(of("/reviews/{token}"), [("GET", "adopt"), ("HEAD", "adopt")]);
    assert_eq!(of("/hooks/{binding}"), [("POST", "ingest")]);
    assert_eq!(topology.routes.len(), 9);
}

#[test]
fn environments_are_bound_to_what_the_template_makes() {
    let functions = bundle().functions;
    let of = |function: &str, name: &str| functions[function].environment.get(name).cloned();
    for function in functions.keys() {
        assert_eq!(of(function, "TABLE"), Some(Binding::Table));
    }
    assert_eq!(of("ingest", "REFRESH_QUEUE_URL"), Some(Binding::Queue("refresh.fifo".to_owned())));
    assert_eq!(of("refresh", "NOTICES_QUEUE_URL"), Some(Binding::Queue("notices".to_owned())));
    assert_eq!(of("notify", "MAIL_FROM"), Some(Binding::Parameter("MailFrom".to_owned())));
    assert_eq!(of("notify", "LINK_KEYS"), Some(Binding::Deployment));
}

#[test]
fn every_fault_of_a_template_is_named() {
    let template = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties: { KeySchema: [{ AttributeName: pk, KeyType: HASH }] }
  Work:
    Type: AWS::SQS::Queue
    Properties: { QueueName: plain, VisibilityTimeout: soon }
  Tick:
    Type: AWS::Serverless::Function
    Properties:
      Events: { Often: { Type: ScheduleV2, Properties: { ScheduleExpression: \"cron(* * * * ? *)\" } } }
";
    let faults = Topology::read(template).unwrap_err();
    for fault in ["Table.KeySchema", "Work.QueueName", "Work.VisibilityTimeout", "Tick.Events.ScheduleExpression"] {
        assert!(faults.contains(fault), "{fault} in {faults}");
    }
}
