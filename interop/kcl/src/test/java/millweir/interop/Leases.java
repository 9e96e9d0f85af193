package millweir.interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.GlobalSecondaryIndexDescription;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;

/**
 * The table of an application, as the DynamoDB client of anyone else sees it. Since 3.5 it holds
 * more than leases: {@code entityType} tells them apart.
 */
final class Leases {
    static final String END = "SHARD_END";
    static final String INDEX = "LeaseOwnerToLeaseKeyIndex";

    private final DynamoDbAsyncClient dynamo;
    private final String table;

    /** One lease. {@code owner} is empty when nobody holds it. */
    record Lease(String shard, String owner, String checkpoint, Set<String> parents) {
        private static Lease of(Map<String, AttributeValue> item) {
            AttributeValue parents = item.get("parentShardId");
            return new Lease(
                    item.get("leaseKey").s(),
                    text(item, "leaseOwner"),
                    text(item, "checkpoint"),
                    parents == null ? Set.of() : Set.copyOf(parents.ss()));
        }
    }

    Leases(DynamoDbAsyncClient dynamo, String application) {
        this.dynamo = dynamo;
        this.table = application;
    }

    private static String text(Map<String, AttributeValue> item, String attribute) {
        AttributeValue value = item.get(attribute);
        return value == null ? "" : value.s();
    }

    /** By shard; none before the table is made. */
    Map<String, Lease> all() {
        Map<String, Lease> leases = new TreeMap<>();
        try {
            dynamo.scanPaginator(r -> r.tableName(table).consistentRead(true))
                    .items()
                    .filter(item -> text(item, "leaseKey").startsWith("shardId-"))
                    .subscribe(item -> leases.put(item.get("leaseKey").s(), Lease.of(item)))
                    .join();
        } catch (RuntimeException e) {
            if (!(e.getCause() instanceof ResourceNotFoundException)) {
                throw e;
            }
        }
        return leases;
    }

    Set<String> owners() {
        return all().values().stream()
                .map(Lease::owner)
                .filter(o -> !o.isEmpty())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The worker that holds the lock of the leader, or nothing. */
    String leader() {
        try {
            return text(get("Leader"), "ownerName");
        } catch (RuntimeException e) {
            if (e.getCause() instanceof ResourceNotFoundException) {
                return "";
            }
            throw e;
        }
    }

    /** Parents of {@code shard} that have a lease which is not at its end, each with where it is. */
    List<String> unfinishedParents(String shard) {
        List<String> unfinished = new ArrayList<>();
        for (String parent : Lease.of(get(shard)).parents()) {
            Map<String, AttributeValue> item = get(parent);
            if (!item.isEmpty() && !text(item, "checkpoint").equals(END)) {
                unfinished.add(parent + " " + text(item, "checkpoint"));
            }
        }
        return unfinished;
    }

    private Map<String, AttributeValue> get(String key) {
        return dynamo.getItem(
                        r -> r.tableName(table)
                                .consistentRead(true)
                                .key(Map.of("leaseKey", AttributeValue.fromS(key))))
                .join()
                .item();
    }

    /** Status of each index by name. */
    Map<String, String> indexes() {
        return dynamo.describeTable(r -> r.tableName(table)).join().table()
                .globalSecondaryIndexes().stream()
                .collect(
                        Collectors.toMap(
                                GlobalSecondaryIndexDescription::indexName,
                                GlobalSecondaryIndexDescription::indexStatusAsString));
    }

    /** Owner of each lease, read through the index. */
    Map<String, String> ownersByIndex(Set<String> workers) {
        Map<String, String> owners = new HashMap<>();
        for (String worker : workers) {
            dynamo.queryPaginator(
                            r -> r.tableName(table)
                                    .indexName(INDEX)
                                    .keyConditionExpression("leaseOwner = :worker")
                                    .expressionAttributeValues(
                                            Map.of(":worker", AttributeValue.fromS(worker))))
                    .items()
                    .subscribe(item -> owners.put(item.get("leaseKey").s(), worker))
                    .join();
        }
        return owners;
    }

    void delete() {
        dynamo.deleteTable(r -> r.tableName(table)).join();
    }
}
