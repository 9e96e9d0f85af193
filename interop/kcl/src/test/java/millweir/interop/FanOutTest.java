package millweir.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.cloudwatch.model.Datapoint;
import software.amazon.awssdk.services.cloudwatch.model.Metric;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;
import software.amazon.awssdk.services.kinesis.model.Consumer;

/** The KCL's default way to get records: a registered consumer, pushed over HTTP/2 with TLS. */
class FanOutTest {
    @Test
    void theNextWorkerGoesOnAfterTheCheckpoint() throws Exception {
        KclLog log = KclLog.ofTests();
        try (var clients = Server.tls();
                var stage = new Stage(clients, 2)) {
            stage.put(150);
            try (Worker w1 = worker(clients, stage, "w1")) {
                stage.awaitAllDelivered();
                stage.put(150);
                stage.awaitAllDelivered();
            }
            Map<String, BigInteger> done = checkpoints(stage);
            assertEquals(lasts(stage.journal.deliveries()), done);
            assertEquals(List.of(stage.name), consumers(clients, stage));

            stage.put(150);
            try (Worker w2 = worker(clients, stage, "w2")) {
                stage.awaitAllDelivered();
                stage.put(150);
                stage.awaitAllDelivered();
                Until.holds(
                        "metrics tell of all records",
                        () -> processed(clients, stage) >= 600,
                        () -> processed(clients, stage));
            }
            stage.journal.deliveries().stream()
                    .filter(d -> d.worker().equals("w2"))
                    .forEach(
                            d -> assertTrue(
                                    d.number().compareTo(done.get(d.shard())) > 0,
                                    () -> "before the checkpoint: " + d));
            stage.assertDelivered();
            assertEquals(List.of(stage.name), consumers(clients, stage));
        }
        log.assertNoComplaintRepeats();
    }

    private static Worker worker(Server.Clients clients, Stage stage, String id) {
        return new Worker(
                clients,
                stage.name,
                id,
                Worker.Retrieval.FAN_OUT,
                Processor.Checkpoints.WHEN_ASKED_TO_STOP,
                stage.journal);
    }

    private static Map<String, BigInteger> checkpoints(Stage stage) {
        Map<String, BigInteger> checkpoints = new HashMap<>();
        stage.leases.all()
                .forEach((shard, l) -> checkpoints.put(shard, new BigInteger(l.checkpoint())));
        return checkpoints;
    }

    /** Records that the application told CloudWatch of, over all its shards and workers. */
    private static double processed(Server.Clients clients, Stage stage) {
        String name = "RecordsProcessed";
        Instant now = Instant.now();
        double sum = 0;
        List<Metric> metrics =
                clients.cloudWatch()
                        .listMetrics(r -> r.namespace(stage.name).metricName(name))
                        .join()
                        .metrics();
        for (Metric metric : metrics) {
            sum +=
                    clients.cloudWatch()
                            .getMetricStatistics(
                                    r -> r.namespace(stage.name)
                                            .metricName(name)
                                            .dimensions(metric.dimensions())
                                            .startTime(now.minusSeconds(3600))
                                            .endTime(now.plusSeconds(60))
                                            .period(60)
                                            .statistics(Statistic.SUM))
                            .join()
                            .datapoints()
                            .stream()
                            .mapToDouble(Datapoint::sum)
                            .sum();
        }
        return sum;
    }

    private static Map<String, BigInteger> lasts(List<Delivery> deliveries) {
        Map<String, BigInteger> lasts = new HashMap<>();
        deliveries.forEach(d -> lasts.merge(d.shard(), d.number(), BigInteger::max));
        return lasts;
    }

    private static List<String> consumers(Server.Clients clients, Stage stage) {
        String arn =
                clients.kinesis()
                        .describeStreamSummary(r -> r.streamName(stage.name))
                        .join()
                        .streamDescriptionSummary()
                        .streamARN();
        return clients.kinesis().listStreamConsumers(r -> r.streamARN(arn)).join().consumers().stream()
                .map(Consumer::consumerName)
                .toList();
    }
}
