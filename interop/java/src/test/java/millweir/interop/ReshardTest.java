package millweir.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.kinesis.KinesisClient;

/** Shards are split and merged under a reader that follows the lineage, and nothing is lost. */
class ReshardTest {
    private static String shard(int number) {
        return "shardId-00000000000" + number;
    }

    @Test
    void splitAndMergeWhileReading() {
        try (KinesisClient client = Server.sync();
                KinesisClient readers = Server.syncTls()) {
            Story.withStream(client, 2, name -> follow(client, readers, name));
        }
    }

    private static void follow(KinesisClient client, KinesisClient readers, String name) {
        var reader = new Story.Lineage(readers, name, List.of(shard(0), shard(1)));
        List<Story.Put> records = new ArrayList<>();
        AtomicBoolean writing = new AtomicBoolean(true);
        CompletableFuture<Void> reading =
                CompletableFuture.runAsync(
                        () -> {
                            while (writing.get()) {
                                reader.round();
                            }
                            for (int more = 0; more < 60 && reader.records.size() < records.size(); more++) {
                                reader.round();
                            }
                        });
        try {
            write(client, name, records, 0);
            String quarter = BigInteger.ONE.shiftLeft(126).toString();
            client.splitShard(
                    r -> r.streamName(name).shardToSplit(shard(0)).newStartingHashKey(quarter));
            write(client, name, records, 10);
            Story.active(client, name);
            client.mergeShards(
                    r -> r.streamName(name).shardToMerge(shard(3)).adjacentShardToMerge(shard(1)));
            write(client, name, records, 20);
            Story.active(client, name);
            write(client, name, records, 30);
        } finally {
            writing.set(false);
        }
        reading.join();
        Story.assertInOrderPerKey(reader.records, records);
        assertEquals(
                List.of(shard(0), shard(1), shard(3)), reader.closed.stream().sorted().toList());
        assertEquals(
                Map.of(
                        shard(2), List.of(shard(0)),
                        shard(3), List.of(shard(0)),
                        shard(4), List.of(shard(3), shard(1))),
                reader.children);
    }

    private static void write(
            KinesisClient client, String name, List<Story.Put> records, int start) {
        List<Story.Put> batch = Story.numbered(16, 10, start);
        Story.putAll(client, name, batch);
        records.addAll(batch);
    }
}
