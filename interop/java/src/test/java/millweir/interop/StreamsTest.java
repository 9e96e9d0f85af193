package millweir.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.EncryptionType;
import software.amazon.awssdk.services.kinesis.model.InvalidArgumentException;
import software.amazon.awssdk.services.kinesis.model.KinesisException;
import software.amazon.awssdk.services.kinesis.model.ResourceInUseException;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.ScalingType;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.ShardFilterType;
import software.amazon.awssdk.services.kinesis.model.StreamDescriptionSummary;
import software.amazon.awssdk.services.kinesis.model.Tag;

/** A stream's life with the blocking client, in CBOR. */
class StreamsTest {
    private static KinesisClient client(boolean tls) {
        return tls ? Server.syncTls() : Server.sync();
    }

    private static StreamDescriptionSummary summary(KinesisClient client, String stream) {
        return client.describeStreamSummary(r -> r.streamName(stream)).streamDescriptionSummary();
    }

    private static void assertCoversEverything(List<Shard> shards) {
        BigInteger edge = BigInteger.ZERO;
        for (Shard shard : shards) {
            assertEquals(edge.toString(), shard.hashKeyRange().startingHashKey());
            edge = new BigInteger(shard.hashKeyRange().endingHashKey()).add(BigInteger.ONE);
        }
        assertEquals(Story.HASH_KEYS, edge);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lifeOfAStream(boolean tls) {
        try (KinesisClient client = client(tls)) {
            String name = Server.freshName();
            client.createStream(r -> r.streamName(name).shardCount(2));
            Story.active(client, name);
            var described = client.describeStream(r -> r.streamName(name)).streamDescription();
            String arn = "arn:aws:kinesis:" + Server.REGION + ":" + Server.ACCOUNT + ":stream/" + name;
            assertEquals(arn, described.streamARN());
            assertEquals(24, described.retentionPeriodHours());
            Duration age = Duration.between(described.streamCreationTimestamp(), Instant.now());
            assertTrue(age.abs().compareTo(Duration.ofMinutes(1)) < 0, "created at " + age);
            assertCoversEverything(described.shards());
            assertNull(summary(client, name).streamId());
            assertTrue(client.listStreams(r -> r.limit(1000)).streamNames().contains(name));
            assertThrows(
                    ResourceInUseException.class,
                    () -> client.createStream(r -> r.streamName(name).shardCount(1)));
            client.deleteStream(r -> r.streamName(name));
            Story.gone(client, name);
        }
    }

    @Test
    void tagsByBothFamilies() {
        try (KinesisClient client = Server.sync()) {
            Story.withStream(
                    client,
                    1,
                    name -> {
                        String arn = Story.arn(client, name);
                        client.addTagsToStream(r -> r.streamName(name).tags(Map.of("ключ", "значение", "a", "b")));
                        client.tagResource(r -> r.resourceARN(arn).tags(Map.of("env", "test")));
                        List<Tag> want =
                                List.of(
                                        Tag.builder().key("a").value("b").build(),
                                        Tag.builder().key("env").value("test").build(),
                                        Tag.builder().key("ключ").value("значение").build());
                        assertEquals(want, client.listTagsForStream(r -> r.streamName(name)).tags());
                        client.removeTagsFromStream(r -> r.streamName(name).tagKeys("a"));
                        client.untagResource(r -> r.resourceARN(arn).tagKeys("ключ"));
                        assertEquals(
                                want.subList(1, 2),
                                client.listTagsForResource(r -> r.resourceARN(arn)).tags());
                    });
        }
    }

    @Test
    void retention() {
        try (KinesisClient client = Server.sync()) {
            Story.withStream(
                    client,
                    1,
                    name -> {
                        client.increaseStreamRetentionPeriod(r -> r.streamName(name).retentionPeriodHours(48));
                        Story.active(client, name);
                        assertEquals(48, summary(client, name).retentionPeriodHours());
                        client.decreaseStreamRetentionPeriod(r -> r.streamName(name).retentionPeriodHours(24));
                        Story.active(client, name);
                        assertEquals(24, summary(client, name).retentionPeriodHours());
                    });
        }
    }

    @Test
    void encryptionStartsAndStops() {
        try (KinesisClient client = Server.sync()) {
            Story.withStream(
                    client,
                    1,
                    name -> {
                        String key = "alias/aws/kinesis";
                        client.startStreamEncryption(
                                r -> r.streamName(name).encryptionType(EncryptionType.KMS).keyId(key));
                        Story.active(client, name);
                        assertEquals(EncryptionType.KMS, summary(client, name).encryptionType());
                        SdkBytes secret = SdkBytes.fromUtf8String("secret");
                        var placed =
                                client.putRecord(r -> r.streamName(name).partitionKey("k").data(secret));
                        assertEquals(EncryptionType.KMS, placed.encryptionType());
                        var found = Story.drain(client, Story.iterator(client, name, placed.shardId()));
                        assertEquals(secret, found.get(0).data());
                        assertEquals(EncryptionType.KMS, found.get(0).encryptionType());
                        client.stopStreamEncryption(
                                r -> r.streamName(name).encryptionType(EncryptionType.KMS).keyId(key));
                        Story.active(client, name);
                        assertEquals(EncryptionType.NONE, summary(client, name).encryptionType());
                    });
        }
    }

    @Test
    void updateShardCount() {
        try (KinesisClient client = Server.sync()) {
            Story.withStream(
                    client,
                    2,
                    name -> {
                        var answer =
                                client.updateShardCount(
                                        r -> r.streamName(name)
                                                .targetShardCount(4)
                                                .scalingType(ScalingType.UNIFORM_SCALING));
                        assertEquals(2, answer.currentShardCount());
                        assertEquals(4, answer.targetShardCount());
                        Story.active(client, name);
                        var open =
                                client.listShards(
                                        r -> r.streamName(name)
                                                .shardFilter(f -> f.type(ShardFilterType.AT_LATEST)));
                        assertEquals(4, open.shards().size());
                        assertEquals(6, client.listShards(r -> r.streamName(name)).shards().size());
                    });
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void errorsHaveTheirTypesAndTexts(boolean tls) {
        try (KinesisClient client = client(tls)) {
            var missing =
                    assertThrows(
                            ResourceNotFoundException.class,
                            () -> client.describeStream(r -> r.streamName("nowhere")));
            assertEquals(400, missing.statusCode());
            assertEquals(
                    "Stream nowhere under account " + Server.ACCOUNT + " not found.",
                    missing.awsErrorDetails().errorMessage());
            var violation =
                    assertThrows(
                            KinesisException.class,
                            () -> client.createStream(r -> r.streamName("s").shardCount(0)));
            assertEquals("ValidationException", violation.awsErrorDetails().errorCode());
            assertEquals(
                    "1 validation error detected: Value '0' at 'shardCount' failed to satisfy"
                            + " constraint: Member must have value greater than or equal to 1",
                    violation.awsErrorDetails().errorMessage());
            var malformed =
                    assertThrows(
                            InvalidArgumentException.class,
                            () -> client.getRecords(r -> r.shardIterator("AAAA")));
            assertEquals("Invalid ShardIterator.", malformed.awsErrorDetails().errorMessage());
        }
    }
}
