package millweir.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.StreamStatus;

/** A stream, the application of the same name that reads it, and all that was put. */
final class Stage implements AutoCloseable {
    private static final int KEYS = 200;
    private static final int BATCH = 400;

    final String name = Server.freshName();
    final Journal journal = new Journal();
    final Leases leases;
    private final Server.Clients clients;
    private final Map<String, BigInteger> numbers = new HashMap<>();
    private int round;

    private record Put(String key, String text) {
        PutRecordsRequestEntry entry() {
            return PutRecordsRequestEntry.builder()
                    .partitionKey(key)
                    .data(SdkBytes.fromUtf8String(text))
                    .build();
        }
    }

    Stage(Server.Clients clients, int shards) {
        this.clients = clients;
        leases = new Leases(clients.dynamo(), name);
        clients.kinesis().createStream(r -> r.streamName(name).shardCount(shards)).join();
        awaitActive();
    }

    void awaitActive() {
        Until.holds("the stream is ACTIVE", () -> status() == StreamStatus.ACTIVE, this::status);
    }

    private StreamStatus status() {
        return clients.kinesis()
                .describeStreamSummary(r -> r.streamName(name))
                .join()
                .streamDescriptionSummary()
                .streamStatus();
    }

    List<Shard> shards() {
        return clients.kinesis().listShards(r -> r.streamName(name)).join().shards();
    }

    /** Splits {@code shard} in the middle, and waits until that is done. */
    void split(Shard shard) {
        BigInteger start = new BigInteger(shard.hashKeyRange().startingHashKey());
        BigInteger end = new BigInteger(shard.hashKeyRange().endingHashKey());
        String middle = start.add(end).shiftRight(1).toString();
        clients.kinesis()
                .splitShard(
                        r -> r.streamName(name)
                                .shardToSplit(shard.shardId())
                                .newStartingHashKey(middle))
                .join();
        awaitActive();
    }

    void merge(Shard shard, Shard next) {
        clients.kinesis()
                .mergeShards(
                        r -> r.streamName(name)
                                .shardToMerge(shard.shardId())
                                .adjacentShardToMerge(next.shardId()))
                .join();
        awaitActive();
    }

    /** Puts {@code count} more records over all keys; what the server refuses is put again. */
    void put(int count) {
        List<Put> open = new ArrayList<>();
        for (int n = 0; n < count; n++, round++) {
            String key = "key-" + round % KEYS;
            open.add(new Put(key, key + ":" + round / KEYS));
        }
        while (!open.isEmpty()) {
            List<Put> batch = open.subList(0, Math.min(BATCH, open.size()));
            var answer =
                    clients.kinesis()
                            .putRecords(
                                    r -> r.streamName(name)
                                            .records(batch.stream().map(Put::entry).toList()))
                            .join();
            List<Put> refused = new ArrayList<>();
            for (int i = 0; i < batch.size(); i++) {
                var result = answer.records().get(i);
                if (result.errorCode() != null) {
                    refused.add(batch.get(i));
                } else {
                    numbers.put(batch.get(i).text(), new BigInteger(result.sequenceNumber()));
                }
            }
            batch.clear();
            open.addAll(0, refused);
        }
    }

    int count() {
        return numbers.size();
    }

    void awaitAllDelivered() {
        Until.holds(
                "all records are delivered",
                () -> journal.distinct() >= count(),
                () -> journal.distinct() + " of " + count() + ", leases " + leases.all());
    }

    /** Each record arrived as it was put, at least once, and first in its key's order. */
    void assertDelivered() {
        Map<String, BigInteger> found = new HashMap<>();
        Map<String, BigInteger> lasts = new HashMap<>();
        Set<String> seen = new HashSet<>();
        for (Delivery delivery : journal.deliveries()) {
            found.put(delivery.text(), delivery.number());
            if (seen.add(delivery.text())) {
                BigInteger last = lasts.put(delivery.key(), delivery.number());
                assertTrue(
                        last == null || last.compareTo(delivery.number()) < 0,
                        () -> "after " + last + " came " + delivery);
            }
        }
        assertEquals(numbers, found);
        assertEquals(List.of(), journal.faults());
    }

    @Override
    public void close() {
        clients.kinesis()
                .deleteStream(r -> r.streamName(name).enforceConsumerDeletion(true))
                .join();
        leases.delete();
    }
}
