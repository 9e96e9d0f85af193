package millweir.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ConsumerStatus;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ResourceInUseException;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEvent;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;

/** The asynchronous client over HTTP/2: fan-out, and CBOR calls beside it on one connection. */
class FanOutTest {
    private static final String SHARD = "shardId-000000000000";

    /** One subscription; its events arrive in a queue. */
    private static final class Subscription {
        final BlockingQueue<SubscribeToShardEvent> events = new LinkedBlockingQueue<>();
        final CompletableFuture<Void> done;

        Subscription(KinesisAsyncClient client, String consumer, ShardIteratorType type) {
            var handler =
                    SubscribeToShardResponseHandler.builder()
                            .subscriber(
                                    SubscribeToShardResponseHandler.Visitor.builder()
                                            .onSubscribeToShardEvent(events::add)
                                            .build())
                            .build();
            done =
                    client.subscribeToShard(
                            r -> r.consumerARN(consumer)
                                    .shardId(SHARD)
                                    .startingPosition(p -> p.type(type)),
                            handler);
        }

        SubscribeToShardEvent next() {
            try {
                SubscribeToShardEvent event = events.poll(8, TimeUnit.SECONDS);
                return event == null ? fail("no event, ended: " + done) : event;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        /** The next {@code count} records. */
        List<Record> take(int count) {
            List<Record> records = new ArrayList<>();
            while (records.size() < count) {
                records.addAll(next().records());
            }
            return records;
        }
    }

    private static KinesisAsyncClient client(boolean tls) {
        return tls ? Server.async() : Server.asyncPlain();
    }

    private static String consumer(KinesisAsyncClient client, String arn) {
        var registered =
                client.registerStreamConsumer(r -> r.streamARN(arn).consumerName("reader")).join();
        String consumer = registered.consumer().consumerARN();
        for (int tries = 0; tries < 100; tries++) {
            var described = client.describeStreamConsumer(r -> r.consumerARN(consumer)).join();
            if (described.consumerDescription().consumerStatus() == ConsumerStatus.ACTIVE) {
                return consumer;
            }
            Story.pause();
        }
        return fail("the consumer does not become ACTIVE");
    }

    private static void put(KinesisAsyncClient client, String stream, String text) {
        client.putRecord(
                        r -> r.streamName(stream)
                                .partitionKey("k")
                                .explicitHashKey("0")
                                .data(SdkBytes.fromUtf8String(text)))
                .join();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void eventsArePushed(boolean tls) {
        try (KinesisClient plain = Server.sync();
                KinesisAsyncClient client = client(tls)) {
            Story.withStream(
                    plain,
                    2,
                    name -> {
                        String consumer = consumer(client, Story.arn(plain, name));
                        put(client, name, "before");
                        var subscription =
                                new Subscription(client, consumer, ShardIteratorType.TRIM_HORIZON);
                        assertEquals("before", subscription.take(1).get(0).data().asUtf8String());
                        long started = System.nanoTime();
                        put(client, name, "after");
                        Record pushed = subscription.take(1).get(0);
                        assertEquals("after", pushed.data().asUtf8String());
                        assertTrue(System.nanoTime() - started < 2_000_000_000L, "pushed, not polled");
                        var idle = subscription.next();
                        assertTrue(idle.records().isEmpty(), "kept alive");
                        assertTrue(idle.continuationSequenceNumber().matches("\\d+"));
                    });
        }
    }

    @Test
    void aSecondSubscriptionWithinFiveSecondsIsRefused() {
        try (KinesisClient plain = Server.sync();
                KinesisAsyncClient client = Server.async()) {
            Story.withStream(
                    plain,
                    1,
                    name -> {
                        String consumer = consumer(client, Story.arn(plain, name));
                        var first = new Subscription(client, consumer, ShardIteratorType.LATEST);
                        first.next();
                        var second = new Subscription(client, consumer, ShardIteratorType.LATEST);
                        var refused =
                                assertThrows(CompletionException.class, () -> second.done.join());
                        assertInstanceOf(ResourceInUseException.class, refused.getCause());
                    });
        }
    }

    @Test
    void aSubscriptionEndsWithTheChildrenOfItsShard() throws Exception {
        try (KinesisClient plain = Server.sync();
                KinesisAsyncClient client = Server.async()) {
            Story.withStream(
                    plain,
                    1,
                    name -> {
                        String consumer = consumer(client, Story.arn(plain, name));
                        IntStream.range(0, 3).forEach(n -> put(client, name, "n" + n));
                        var subscription =
                                new Subscription(client, consumer, ShardIteratorType.TRIM_HORIZON);
                        var found = subscription.take(3);
                        assertEquals("n2", found.get(2).data().asUtf8String());
                        String half = BigInteger.ONE.shiftLeft(127).toString();
                        plain.splitShard(
                                r -> r.streamName(name).shardToSplit(SHARD).newStartingHashKey(half));
                        SubscribeToShardEvent event = subscription.next();
                        while (event.childShards().isEmpty()) {
                            event = subscription.next();
                        }
                        assertNull(event.continuationSequenceNumber());
                        assertEquals(
                                List.of("0", half),
                                event.childShards().stream()
                                        .map(c -> c.hashKeyRange().startingHashKey())
                                        .toList());
                        event.childShards().forEach(c -> assertEquals(List.of(SHARD), c.parentShards()));
                        subscription.done.orTimeout(8, TimeUnit.SECONDS).join();
                    });
        }
    }

    @Test
    void manyCallsShareOneConnection() {
        try (KinesisClient plain = Server.sync();
                KinesisAsyncClient client = Server.async()) {
            Story.withStream(
                    plain,
                    2,
                    name -> {
                        SdkBytes data = SdkBytes.fromByteArray(Story.everyByte());
                        var puts =
                                IntStream.range(0, 100)
                                        .mapToObj(
                                                n -> client.putRecord(
                                                        r -> r.streamName(name).partitionKey("k" + n).data(data)))
                                        .toList();
                        long distinct =
                                puts.stream().map(p -> p.join().sequenceNumber()).distinct().count();
                        assertEquals(100, distinct);
                    });
        }
    }
}
