//! A stream's life: describe, list, tag, retain, encrypt, resize, delete, and what is refused.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{
    EncryptionType, ScalingType, ShardFilter, ShardFilterType, StreamDescriptionSummary, Tag,
};
use millweir_interop::{
    ACCOUNT, BOTH, REGION, Transport, active, client, delete, drain, fresh_name, gone, horizon,
    stream,
};

async fn summary(client: &Client, name: &str) -> StreamDescriptionSummary {
    let answer = client.describe_stream_summary().stream_name(name).send().await.unwrap();
    answer.stream_description_summary().unwrap().clone()
}

#[tokio::test]
async fn life_of_a_stream() {
    for transport in BOTH {
        let client = client(transport);
        let name = fresh_name();
        client.create_stream().stream_name(&name).shard_count(2).send().await.unwrap();
        let arn = active(&client, &name).await;
        assert_eq!(arn, format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"));
        let answer = client.describe_stream().stream_name(&name).send().await.unwrap();
        let described = answer.stream_description().unwrap();
        assert_eq!(described.retention_period_hours(), 24);
        let edges: Vec<_> = described
            .shards()
            .iter()
            .map(|s| s.hash_key_range().unwrap())
            .flat_map(|r| [r.starting_hash_key(), r.ending_hash_key()])
            .map(|edge| edge.parse::<u128>().unwrap())
            .collect();
        assert_eq!(edges, [0, (1 << 127) - 1, 1 << 127, u128::MAX]);
        assert_eq!(summary(&client, &name).await.stream_id(), None);
        let listed = client.list_streams().limit(1000).send().await.unwrap();
        assert!(listed.stream_names().contains(&name));
        let again = client.create_stream().stream_name(&name).shard_count(1).send().await;
        assert!(again.unwrap_err().into_service_error().is_resource_in_use_exception());
        client.delete_stream().stream_name(&name).send().await.unwrap();
        gone(&client, &name).await;
    }
}

#[tokio::test]
async fn tags_by_both_families() {
    for transport in BOTH {
        let client = client(transport);
        let (name, arn) = stream(&client, 1).await;
        let add =
            client.add_tags_to_stream().stream_name(&name).tags("ключ", "значение").tags("a", "b");
        add.send().await.unwrap();
        client.tag_resource().resource_arn(&arn).tags("env", "test").send().await.unwrap();
        let listed = client.list_tags_for_stream().stream_name(&name).send().await.unwrap();
        assert_eq!(pairs(listed.tags()), ["a=b", "env=test", "ключ=значение"]);
        client.remove_tags_from_stream().stream_name(&name).tag_keys("a").send().await.unwrap();
        client.untag_resource().resource_arn(&arn).tag_keys("ключ").send().await.unwrap();
        let left = client.list_tags_for_resource().resource_arn(&arn).send().await.unwrap();
        assert_eq!(pairs(left.tags()), ["env=test"]);
        delete(&client, &name).await;
    }
}

fn pairs(tags: &[Tag]) -> Vec<String> {
    tags.iter().map(|t| format!("{}={}", t.key(), t.value().unwrap_or_default())).collect()
}

#[tokio::test]
async fn retention() {
    let client = client(Transport::Plain);
    let (name, _) = stream(&client, 1).await;
    let increase = client.increase_stream_retention_period().stream_name(&name);
    increase.retention_period_hours(48).send().await.unwrap();
    active(&client, &name).await;
    assert_eq!(summary(&client, &name).await.retention_period_hours(), 48);
    let decrease = client.decrease_stream_retention_period().stream_name(&name);
    decrease.retention_period_hours(24).send().await.unwrap();
    active(&client, &name).await;
    assert_eq!(summary(&client, &name).await.retention_period_hours(), 24);
    delete(&client, &name).await;
}

#[tokio::test]
async fn encryption_starts_and_stops() {
    let client = client(Transport::Tls);
    let (name, _) = stream(&client, 1).await;
    let key = "alias/aws/kinesis";
    let start = client.start_stream_encryption().stream_name(&name).key_id(key);
    start.encryption_type(EncryptionType::Kms).send().await.unwrap();
    active(&client, &name).await;
    assert_eq!(summary(&client, &name).await.encryption_type(), Some(&EncryptionType::Kms));
    let put = client.put_record().stream_name(&name).partition_key("k");
    let placed = put.data(Blob::new("secret")).send().await.unwrap();
    assert_eq!(placed.encryption_type(), Some(&EncryptionType::Kms));
    let found = drain(&client, horizon(&client, &name, placed.shard_id()).await).await;
    assert_eq!(found[0].data().as_ref(), b"secret");
    assert_eq!(found[0].encryption_type(), Some(&EncryptionType::Kms));
    let stop = client.stop_stream_encryption().stream_name(&name).key_id(key);
    stop.encryption_type(EncryptionType::Kms).send().await.unwrap();
    active(&client, &name).await;
    assert_eq!(summary(&client, &name).await.encryption_type(), Some(&EncryptionType::None));
    delete(&client, &name).await;
}

#[tokio::test]
async fn update_shard_count() {
    let client = client(Transport::Plain);
    let (name, _) = stream(&client, 2).await;
    let update = client.update_shard_count().stream_name(&name).target_shard_count(4);
    let answer = update.scaling_type(ScalingType::UniformScaling).send().await.unwrap();
    assert_eq!((answer.current_shard_count(), answer.target_shard_count()), (Some(2), Some(4)));
    active(&client, &name).await;
    let latest = ShardFilter::builder().r#type(ShardFilterType::AtLatest).build().unwrap();
    let open = client.list_shards().stream_name(&name).shard_filter(latest).send().await.unwrap();
    assert_eq!(open.shards().len(), 4);
    let all = client.list_shards().stream_name(&name).send().await.unwrap();
    assert_eq!(all.shards().len(), 6);
    delete(&client, &name).await;
}

#[tokio::test]
async fn errors_have_their_types_and_texts() {
    for transport in BOTH {
        let client = client(transport);
        let missing = client.describe_stream().stream_name("nowhere").send().await;
        let missing = missing.unwrap_err().into_service_error();
        assert!(missing.is_resource_not_found_exception());
        let text = format!("Stream nowhere under account {ACCOUNT} not found.");
        assert_eq!(missing.message(), Some(text.as_str()));
        let violation = client.create_stream().stream_name("s").shard_count(0).send().await;
        let violation = violation.unwrap_err().into_service_error();
        assert_eq!(violation.code(), Some("ValidationException"));
        let text = "1 validation error detected: Value '0' at 'shardCount' failed to satisfy \
                    constraint: Member must have value greater than or equal to 1";
        assert_eq!(violation.message(), Some(text));
        let malformed = client.get_records().shard_iterator("AAAA").send().await;
        let malformed = malformed.unwrap_err().into_service_error();
        assert!(malformed.is_invalid_argument_exception());
        assert_eq!(malformed.message(), Some("Invalid ShardIterator."));
    }
}
