package millweir.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.kinesis.model.Shard;

/**
 * Three workers share four shards by leases in the server's own table. One shard is split, two are
 * merged, and the worker that leads is killed, while records go on coming.
 */
class PollingTest {
    private static final Set<String> WORKERS = Set.of("w1", "w2", "w3");
    private static final Set<String> SURVIVORS = Set.of("w1", "w2");

    @Test
    void nothingIsLostWhenShardsChangeAndTheLeaderDies() throws Exception {
        KclLog log = KclLog.ofTests();
        Path childLog = Path.of("target", "kcl-w3.log");
        try (var clients = Server.plain();
                var stage = new Stage(clients, 4)) {
            stage.put(600);
            try (var w3 = new WorkerProcess(stage.name, "w3", childLog, stage.journal)) {
                Until.holds(
                        "w3 leads",
                        () -> stage.leases.leader().equals("w3"),
                        stage.leases::leader);
                try (Worker w1 = worker(clients, stage, "w1");
                        Worker w2 = worker(clients, stage, "w2")) {
                    run(stage, w3);
                }
            }
            stage.assertDelivered();
            assertEquals(
                    stage.shards().stream().map(Shard::shardId).collect(Collectors.toSet()),
                    stage.journal.deliveries().stream()
                            .map(Delivery::shard)
                            .collect(Collectors.toSet()));
        }
        log.assertNoComplaintRepeats();
        KclLog.of(childLog).assertNoComplaintRepeats();
    }

    private static Worker worker(Server.Clients clients, Stage stage, String id) {
        return new Worker(
                clients,
                stage.name,
                id,
                Worker.Retrieval.POLLING,
                Processor.Checkpoints.AFTER_EACH_BATCH,
                stage.journal);
    }

    /** Whether all of them have read; more is put until they have. */
    private static boolean readBy(Stage stage, Set<String> workers) {
        if (stage.journal.workers().equals(workers)) {
            return true;
        }
        stage.put(20);
        return false;
    }

    private static void run(Stage stage, WorkerProcess leader) {
        Until.holds(
                "each worker has a lease",
                () -> stage.leases.owners().equals(WORKERS),
                stage.leases::all);
        stage.put(200);
        // A lease that is handed over is still read by its last owner, who may take all there is.
        Until.holds(
                "each worker reads",
                () -> readBy(stage, WORKERS),
                () -> stage.journal.workers() + " " + stage.leases.all());
        List<Shard> shards = stage.shards();
        stage.put(200);
        stage.split(shards.get(0));
        stage.put(300);
        stage.merge(shards.get(2), shards.get(3));
        stage.put(300);
        awaitClosed(stage);
        Until.holds(
                "w3 has a lease to lose",
                () -> stage.leases.owners().contains("w3"),
                stage.leases::all);
        stage.put(200);
        leader.close();
        stage.put(200);
        stage.awaitAllDelivered();
        assertTrue(stage.count() >= 2_000);
        assertLeases(stage);
    }

    /** The three parents are read to their end, or no longer known. */
    private static void awaitClosed(Stage stage) {
        Until.holds(
                "the parents are finished",
                () -> unfinished(stage).isEmpty(),
                stage.leases::all);
    }

    private static List<Leases.Lease> unfinished(Stage stage) {
        Set<String> parents =
                stage.shards().stream()
                        .filter(s -> s.sequenceNumberRange().endingSequenceNumber() != null)
                        .map(Shard::shardId)
                        .collect(Collectors.toSet());
        assertEquals(3, parents.size());
        return stage.leases.all().values().stream()
                .filter(l -> parents.contains(l.shard()) && !l.checkpoint().equals(Leases.END))
                .toList();
    }

    /** Those who live share the open shards and the lead; the index agrees with the table. */
    private static void assertLeases(Stage stage) {
        assertEquals(List.of(), unfinished(stage));
        assertEquals(Map.of(Leases.INDEX, "ACTIVE"), stage.leases.indexes());
        Set<String> open =
                stage.shards().stream()
                        .filter(s -> s.sequenceNumberRange().endingSequenceNumber() == null)
                        .map(Shard::shardId)
                        .collect(Collectors.toSet());
        assertEquals(4, open.size());
        assertTrue(stage.leases.all().keySet().containsAll(open));
        Until.holds(
                "a survivor leads, once the lock of w3 is over",
                () -> SURVIVORS.contains(stage.leases.leader()),
                stage.leases::leader);
        Until.holds(
                "the index tells the owners that the table tells, and w3 is none of them",
                () -> stage.leases.ownersByIndex(WORKERS).equals(ownersByTable(stage))
                        && stage.leases.owners().equals(SURVIVORS),
                () -> stage.leases.ownersByIndex(WORKERS) + " " + stage.leases.all());
    }

    private static Map<String, String> ownersByTable(Stage stage) {
        return stage.leases.all().values().stream()
                .filter(l -> !l.owner().isEmpty())
                .collect(Collectors.toMap(Leases.Lease::shard, Leases.Lease::owner));
    }
}
