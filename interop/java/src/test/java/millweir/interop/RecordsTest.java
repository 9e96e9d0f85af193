package millweir.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.kinesis.model.InvalidArgumentException;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;

/** Records go in by both operations and come out by all five iterator types, byte for byte. */
class RecordsTest {
    private static KinesisClient client(boolean tls) {
        return tls ? Server.syncTls() : Server.sync();
    }

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void awkwardRecordsComeBackIntact(boolean tls, boolean batch) {
        try (KinesisClient client = client(tls)) {
            Story.withStream(
                    client,
                    2,
                    name -> {
                        var records = Story.awkward();
                        var places =
                                batch
                                        ? Story.putAll(client, name, records)
                                        : Story.putOneByOne(client, name, records);
                        var shards = client.listShards(r -> r.streamName(name)).shards();
                        for (int i = 0; i < records.size(); i++) {
                            assertEquals(
                                    Story.owner(shards, records.get(i).key()), places.get(i).shard());
                            assertTrue(places.get(i).number().matches("\\d{56}"));
                        }
                        Story.byShard(records, places)
                                .forEach(
                                        (shard, want) ->
                                                assertEquals(
                                                        want,
                                                        briefs(
                                                                Story.drain(
                                                                        client,
                                                                        Story.iterator(client, name, shard)))));
                    });
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyIteratorType(boolean tls) {
        try (KinesisClient client = client(tls)) {
            Story.withStream(
                    client,
                    2,
                    name -> {
                        var records = Story.numbered(5, 8, 0);
                        var places = Story.putAll(client, name, records);
                        Story.byShard(records, places)
                                .forEach((shard, want) -> readEveryWay(client, name, shard, want));
                    });
        }
    }

    private static void readEveryWay(
            KinesisClient client, String name, String shard, List<Story.Brief> want) {
        List<Record> every =
                read(client, name, shard, r -> r.shardIteratorType(ShardIteratorType.TRIM_HORIZON));
        assertEquals(want, briefs(every));
        String third = want.get(2).number();
        assertEquals(
                want.subList(2, want.size()),
                briefs(
                        read(
                                client,
                                name,
                                shard,
                                r -> r.shardIteratorType(ShardIteratorType.AT_SEQUENCE_NUMBER)
                                        .startingSequenceNumber(third))));
        assertEquals(
                want.subList(3, want.size()),
                briefs(
                        read(
                                client,
                                name,
                                shard,
                                r -> r.shardIteratorType(ShardIteratorType.AFTER_SEQUENCE_NUMBER)
                                        .startingSequenceNumber(third))));
        Instant stamp = every.get(every.size() - 1).approximateArrivalTimestamp();
        assertEquals(
                briefs(every.stream().filter(r -> !r.approximateArrivalTimestamp().isBefore(stamp)).toList()),
                briefs(
                        read(
                                client,
                                name,
                                shard,
                                r -> r.shardIteratorType(ShardIteratorType.AT_TIMESTAMP).timestamp(stamp))));
        String latest =
                Story.iterator(
                        client, name, shard, r -> r.shardIteratorType(ShardIteratorType.LATEST));
        SdkBytes data = SdkBytes.fromUtf8String("new");
        String key = want.get(0).key();
        var placed = client.putRecord(r -> r.streamName(name).partitionKey(key).data(data));
        assertEquals(
                List.of(new Story.Brief(key, data, placed.sequenceNumber())),
                briefs(Story.drain(client, latest)));
    }

    private static List<Record> read(
            KinesisClient client,
            String name,
            String shard,
            UnaryOperator<GetShardIteratorRequest.Builder> position) {
        return Story.drain(client, Story.iterator(client, name, shard, position));
    }

    private static List<Story.Brief> briefs(List<Record> records) {
        return records.stream().map(Story.Brief::of).toList();
    }

    @Test
    void explicitHashKeys() {
        try (KinesisClient client = Server.sync()) {
            Story.withStream(
                    client,
                    2,
                    name -> {
                        BigInteger half = BigInteger.ONE.shiftLeft(127);
                        assertEquals(
                                "shardId-000000000000",
                                putAt(client, name, half.subtract(BigInteger.ONE)));
                        assertEquals("shardId-000000000001", putAt(client, name, half));
                        assertThrows(
                                InvalidArgumentException.class,
                                () -> putAt(client, name, Story.HASH_KEYS));
                    });
        }
    }

    private static String putAt(KinesisClient client, String name, BigInteger hash) {
        return client.putRecord(
                        r -> r.streamName(name)
                                .partitionKey("same")
                                .explicitHashKey(hash.toString())
                                .data(SdkBytes.fromUtf8String("x")))
                .shardId();
    }
}
