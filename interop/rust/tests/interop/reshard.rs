//! Shards are split and merged under a reader that follows the lineage, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_kinesis::Client;
use millweir_interop::{
    BOTH, Lineage, Put, Transport, active, assert_in_order_per_key, client, delete, numbered,
    put_all, shard, stream,
};

#[tokio::test]
async fn split_and_merge_while_reading() {
    for transport in BOTH {
        let client = client(transport);
        let (name, _) = stream(&client, 2).await;
        let reader = Lineage::of(self::client(Transport::Tls), &name, &[shard(0), shard(1)]).await;
        let written = Arc::new(AtomicUsize::new(0));
        let reading = tokio::spawn(read_all(reader, Arc::clone(&written)));
        let records = write_and_reshard(&client, &name).await;
        written.store(records.len(), Ordering::Release);
        let mut reader = reading.await.unwrap();
        assert_in_order_per_key(&reader.records, &records);
        reader.closed.sort();
        assert_eq!(reader.closed, [shard(0), shard(1), shard(3)]);
        let lineage = [
            (shard(2), vec![shard(0)]),
            (shard(3), vec![shard(0)]),
            (shard(4), vec![shard(3), shard(1)]),
        ];
        assert_eq!(reader.children, lineage.into());
        delete(&client, &name).await;
    }
}

/// Reads until all that was written is there; `written` is 0 while the writer still writes.
async fn read_all(mut reader: Lineage, written: Arc<AtomicUsize>) -> Lineage {
    let mut rounds = 0;
    while rounds < 60 {
        let total = written.load(Ordering::Acquire);
        if total > 0 {
            rounds += 1;
            if reader.records.len() >= total {
                break;
            }
        }
        reader.round().await;
    }
    reader
}

async fn write_and_reshard(client: &Client, name: &str) -> Vec<Put> {
    let batches: Vec<_> = (0..4).map(|n| numbered(16, 10, n * 10)).collect();
    put_all(client, name, &batches[0]).await;
    let split = client.split_shard().stream_name(name).shard_to_split(shard(0));
    split.new_starting_hash_key((1_u128 << 126).to_string()).send().await.unwrap();
    put_all(client, name, &batches[1]).await;
    active(client, name).await;
    let merge = client.merge_shards().stream_name(name).shard_to_merge(shard(3));
    merge.adjacent_shard_to_merge(shard(1)).send().await.unwrap();
    put_all(client, name, &batches[2]).await;
    active(client, name).await;
    put_all(client, name, &batches[3]).await;
    batches.concat()
}
