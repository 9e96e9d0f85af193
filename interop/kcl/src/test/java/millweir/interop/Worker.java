package millweir.interop;

import java.util.List;
import java.util.concurrent.TimeUnit;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.metrics.MetricsConfig;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.RetrievalConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;
import software.amazon.kinesis.worker.metric.OperatingRange;
import software.amazon.kinesis.worker.metric.WorkerMetric;
import software.amazon.kinesis.worker.metric.WorkerMetricType;

/**
 * One worker of an application: the KCL's scheduler with its defaults, but for what makes leases
 * expire and move within seconds. Its application and its stream have one name.
 */
final class Worker implements AutoCloseable {
    private static final long FAILOVER_MS = 4_000;
    private static final long LEADER_MS = 8_000;

    /** How records are got; fan-out is the KCL's default. */
    enum Retrieval {
        POLLING,
        FAN_OUT
    }

    private final Scheduler scheduler;
    private final Thread thread;

    Worker(
            Server.Clients clients,
            String application,
            String id,
            Retrieval retrieval,
            Processor.Checkpoints checkpoints,
            Journal journal) {
        Leases leases = new Leases(clients.dynamo(), application);
        ConfigsBuilder configs =
                new ConfigsBuilder(
                        new SingleStreamTracker(
                                application,
                                InitialPositionInStreamExtended.newInitialPosition(
                                        InitialPositionInStream.TRIM_HORIZON)),
                        application,
                        clients.kinesis(),
                        clients.dynamo(),
                        clients.cloudWatch(),
                        id,
                        () -> new Processor(id, leases, checkpoints, journal));
        scheduler =
                new Scheduler(
                        configs.checkpointConfig(),
                        coordinator(configs.coordinatorConfig()),
                        leases(configs.leaseManagementConfig()),
                        configs.lifecycleConfig(),
                        metrics(configs.metricsConfig()),
                        configs.processorConfig(),
                        retrieval(configs.retrievalConfig(), retrieval, clients, application));
        thread = new Thread(scheduler, "scheduler-" + id);
        thread.setDaemon(true);
        thread.start();
    }

    /** Sent each second instead of every ten, so that a short life sends some, too. */
    private static MetricsConfig metrics(MetricsConfig config) {
        return config.metricsBufferTimeMillis(1_000L);
    }

    private static CoordinatorConfig coordinator(CoordinatorConfig config) {
        return config.parentShardPollIntervalMillis(500).shardConsumerDispatchPollIntervalMillis(250);
    }

    /**
     * What is left of a cold start is a wait of 1 to 30 s, drawn by the KCL, for another worker to
     * fill the table. After filling it, it sleeps for the interval of the shard sync.
     */
    private LeaseManagementConfig leases(LeaseManagementConfig config) {
        config.workerUtilizationAwareAssignmentConfig()
                .workerMetricList(List.of(new Load()))
                .inMemoryWorkerMetricsCaptureFrequencyMillis(500)
                .workerMetricsReporterFreqInMillis(2_000)
                .varianceBalancingFrequency(1);
        return config.failoverTimeMillis(FAILOVER_MS)
                .shardSyncIntervalMillis(500)
                .leaseAssignmentIntervalMillis(1_000L)
                .dynamoDbLockBasedLeaderLeaseDurationInMillis(LEADER_MS)
                .dynamoDbLockBasedLeaderHeartbeatPeriodInMillis(LEADER_MS / 4);
    }

    /** Small pages, so that reading goes on while shards are split and workers end. */
    private static RetrievalConfig retrieval(
            RetrievalConfig config, Retrieval retrieval, Server.Clients clients, String stream) {
        return retrieval == Retrieval.FAN_OUT
                ? config
                : config.retrievalSpecificConfig(
                        new PollingConfig(stream, clients.kinesis())
                                .maxRecords(40)
                                .idleTimeBetweenReadsInMillis(300));
    }

    /** Lets each processor checkpoint, gives all leases back, and returns when that is done. */
    @Override
    public void close() {
        try {
            if (!scheduler.startGracefulShutdown().get(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the shutdown was not graceful");
            }
            thread.join();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Leases are spread by the load of the workers. The KCL's own measure of that is the processor
     * of the instance, which it asks the metadata service of EC2 about; here each lease weighs the
     * same, so that they spread evenly.
     */
    private final class Load implements WorkerMetric {
        @Override
        public String getShortName() {
            return "L";
        }

        @Override
        public WorkerMetricValue capture() {
            int leases = scheduler == null ? 0 : scheduler.leaseCoordinator().getAssignments().size();
            return WorkerMetricValue.builder().value(Math.min(100.0, 5.0 * leases)).build();
        }

        @Override
        public OperatingRange getOperatingRange() {
            return OperatingRange.builder().maxUtilization(100).build();
        }

        @Override
        public WorkerMetricType getWorkerMetricType() {
            return WorkerMetricType.CPU;
        }
    }
}
