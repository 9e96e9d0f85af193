package millweir.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ChildShard;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.PutRecordsResultEntry;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.StreamStatus;

/** What every test needs to know about records: where they must go, and how to read them back. */
final class Story {
    static final BigInteger HASH_KEYS = BigInteger.ONE.shiftLeft(128);

    /** A record as put. */
    record Put(String key, SdkBytes data) {
        static Put of(String key, String text) {
            return new Put(key, SdkBytes.fromUtf8String(text));
        }

        static Put of(String key, byte[] data) {
            return new Put(key, SdkBytes.fromByteArray(data));
        }
    }

    /** What must be equal between a record put and a record read. */
    record Brief(String key, SdkBytes data, String number) {
        static Brief of(Record record) {
            return new Brief(record.partitionKey(), record.data(), record.sequenceNumber());
        }
    }

    /** Where a record was put. */
    record Place(String shard, String number) {}

    private Story() {}

    static byte[] everyByte() {
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    /** Each key with a payload that a careless codec would alter. */
    static List<Put> awkward() {
        byte[] large = new byte[51_200];
        for (int i = 0; i < large.length; i++) {
            large[i] = (byte) (i * 31);
        }
        return List.of(
                Put.of("plain", "text"),
                Put.of("ключ", "значение"),
                Put.of("鍵🌊", everyByte()),
                Put.of("quo\"te\\and\ttab", new byte[] {0, -1, 0, -1}),
                Put.of("k".repeat(256), new byte[0]),
                Put.of("я".repeat(256), "\r\n\0"),
                Put.of(" ", large),
                Put.of("e\u0301", new byte[] {(byte) 0xc3, 0x28}));
    }

    /** {@code rounds} records for each key; the payload tells key and number. */
    static List<Put> numbered(int keys, int rounds, int start) {
        List<Put> records = new ArrayList<>();
        for (int n = start; n < start + rounds; n++) {
            for (int k = 0; k < keys; k++) {
                records.add(Put.of("key-" + k, "key-" + k + ":" + n));
            }
        }
        return records;
    }

    static void active(KinesisClient client, String stream) {
        for (int tries = 0; tries < 100; tries++) {
            var summary = client.describeStreamSummary(r -> r.streamName(stream));
            if (summary.streamDescriptionSummary().streamStatus() == StreamStatus.ACTIVE) {
                return;
            }
            pause();
        }
        fail("the stream does not become ACTIVE");
    }

    /** Waits until the stream is unknown; the SDK's own waiter looks only every ten seconds. */
    static void gone(KinesisClient client, String stream) {
        for (int tries = 0; tries < 100; tries++) {
            try {
                client.describeStreamSummary(r -> r.streamName(stream));
            } catch (ResourceNotFoundException e) {
                return;
            }
            pause();
        }
        fail("the stream is not deleted");
    }

    /** Runs {@code body} with an ACTIVE stream, and deletes it. */
    static void withStream(KinesisClient client, int shards, Consumer<String> body) {
        String name = Server.freshName();
        client.createStream(r -> r.streamName(name).shardCount(shards));
        try {
            active(client, name);
            body.accept(name);
        } finally {
            client.deleteStream(r -> r.streamName(name).enforceConsumerDeletion(true));
        }
    }

    static String arn(KinesisClient client, String stream) {
        return client.describeStreamSummary(r -> r.streamName(stream))
                .streamDescriptionSummary()
                .streamARN();
    }

    /** The id of the one open shard that owns a partition key. */
    static String owner(List<Shard> shards, String key) {
        BigInteger hash = hash(key);
        List<String> holders =
                shards.stream()
                        .filter(s -> s.sequenceNumberRange().endingSequenceNumber() == null)
                        .filter(s -> new BigInteger(s.hashKeyRange().startingHashKey()).compareTo(hash) <= 0)
                        .filter(s -> new BigInteger(s.hashKeyRange().endingHashKey()).compareTo(hash) >= 0)
                        .map(Shard::shardId)
                        .toList();
        assertEquals(1, holders.size());
        return holders.get(0);
    }

    private static BigInteger hash(String key) {
        try {
            byte[] utf8 = key.getBytes(StandardCharsets.UTF_8);
            return new BigInteger(1, MessageDigest.getInstance("MD5").digest(utf8));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<Place> putOneByOne(KinesisClient client, String stream, List<Put> records) {
        List<Place> places = new ArrayList<>();
        for (Put record : records) {
            var answer =
                    client.putRecord(
                            r -> r.streamName(stream).partitionKey(record.key()).data(record.data()));
            places.add(new Place(answer.shardId(), answer.sequenceNumber()));
        }
        return places;
    }

    /** PutRecords until each record is taken; the places in the records' order. */
    static List<Place> putAll(KinesisClient client, String stream, List<Put> records) {
        Place[] places = new Place[records.size()];
        List<Integer> left = IntStream.range(0, records.size()).boxed().toList();
        for (int tries = 0; !left.isEmpty(); tries++) {
            assertTrue(tries < 60, left.size() + " records are refused");
            List<PutRecordsRequestEntry> entries =
                    left.stream()
                            .map(records::get)
                            .map(p -> PutRecordsRequestEntry.builder().partitionKey(p.key()).data(p.data()).build())
                            .toList();
            var answer = client.putRecords(r -> r.streamName(stream).records(entries));
            assertEquals(left.size(), answer.records().size());
            List<Integer> refused = new ArrayList<>();
            for (int i = 0; i < left.size(); i++) {
                PutRecordsResultEntry result = answer.records().get(i);
                if (result.errorCode() == null) {
                    places[left.get(i)] = new Place(result.shardId(), result.sequenceNumber());
                } else {
                    refused.add(left.get(i));
                }
            }
            assertEquals(refused.size(), answer.failedRecordCount());
            left = refused;
            if (!left.isEmpty()) {
                pause();
            }
        }
        return List.of(places);
    }

    /** By shard, what a reader must see, in the order of the sequence numbers. */
    static Map<String, List<Brief>> byShard(List<Put> records, List<Place> places) {
        Map<String, List<Brief>> shards = new TreeMap<>();
        for (int i = 0; i < records.size(); i++) {
            Brief brief = new Brief(records.get(i).key(), records.get(i).data(), places.get(i).number());
            shards.computeIfAbsent(places.get(i).shard(), s -> new ArrayList<>()).add(brief);
        }
        shards.values().forEach(l -> l.sort(Comparator.comparing(b -> new BigInteger(b.number()))));
        return shards;
    }

    static String iterator(KinesisClient client, String stream, String shard) {
        return iterator(client, stream, shard, r -> r.shardIteratorType(ShardIteratorType.TRIM_HORIZON));
    }

    static String iterator(
            KinesisClient client,
            String stream,
            String shard,
            UnaryOperator<GetShardIteratorRequest.Builder> position) {
        var request = position.apply(GetShardIteratorRequest.builder().streamName(stream).shardId(shard));
        return client.getShardIterator(request.build()).shardIterator();
    }

    /** Reads to the tip or the end of the shard. */
    static List<Record> drain(KinesisClient client, String iterator) {
        List<Record> records = new ArrayList<>();
        for (int pages = 0; pages < 200; pages++) {
            String at = iterator;
            GetRecordsResponse page = client.getRecords(r -> r.shardIterator(at).limit(100));
            records.addAll(page.records());
            if (page.nextShardIterator() == null || page.millisBehindLatest() == 0) {
                return records;
            }
            iterator = page.nextShardIterator();
        }
        return fail("the tip is not reached");
    }

    /** The same records, once each, in order within each key. */
    static void assertInOrderPerKey(List<Put> found, List<Put> expected) {
        assertEquals(expected.size(), found.size());
        assertEquals(perKey(expected), perKey(found));
    }

    private static Map<String, List<String>> perKey(List<Put> records) {
        return records.stream()
                .collect(
                        Collectors.groupingBy(
                                Put::key,
                                Collectors.mapping(p -> p.data().asUtf8String(), Collectors.toList())));
    }

    static void pause() {
        try {
            Thread.sleep(200);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Reads a whole stream, opening a shard only when all its parents are drained. */
    static final class Lineage {
        final List<Put> records = new ArrayList<>();
        final List<String> closed = new ArrayList<>();
        final Map<String, List<String>> children = new TreeMap<>();
        private final Map<String, String> open = new HashMap<>();
        private final KinesisClient client;
        private final String stream;

        Lineage(KinesisClient client, String stream, List<String> shards) {
            this.client = client;
            this.stream = stream;
            shards.forEach(s -> open.put(s, iterator(client, stream, s)));
        }

        /** One GetRecords for each open shard. */
        void round() {
            for (var entry : List.copyOf(open.entrySet())) {
                var page = client.getRecords(r -> r.shardIterator(entry.getValue()));
                page.records().forEach(r -> records.add(new Put(r.partitionKey(), r.data())));
                if (page.nextShardIterator() == null) {
                    close(entry.getKey(), page.childShards());
                } else {
                    assertTrue(page.childShards().isEmpty());
                    open.put(entry.getKey(), page.nextShardIterator());
                }
            }
        }

        private void close(String shard, List<ChildShard> ended) {
            assertFalse(ended.isEmpty(), "a shard ends with its children");
            open.remove(shard);
            closed.add(shard);
            for (ChildShard child : ended) {
                assertTrue(child.parentShards().contains(shard));
                children.put(child.shardId(), child.parentShards());
            }
            children.forEach(
                    (child, parents) -> {
                        boolean known = open.containsKey(child) || closed.contains(child);
                        if (!known && closed.containsAll(parents)) {
                            assertNull(open.put(child, iterator(client, stream, child)));
                        }
                    });
        }
    }
}
