package millweir.interop;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A polling worker in a process of its own, which can be killed as a machine dies: nothing of it
 * renews a lease or beats for the leader's lock afterwards.
 */
final class WorkerProcess implements AutoCloseable {
    private static final String DELIVERED = "delivered\t";
    private static final String FAULT = "fault\t";

    private final Process process;
    private final Thread reader;

    /** Starts the worker {@code id}; what it gets goes to {@code journal}. */
    WorkerProcess(String application, String id, Path log, Journal journal) throws IOException {
        process =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        "-Dkcl.log=" + log,
                                        WorkerProcess.class.getName(),
                                        application,
                                        id))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        reader = new Thread(() -> process.inputReader().lines().forEach(l -> read(l, journal)));
        reader.setDaemon(true);
        reader.start();
    }

    private static void read(String line, Journal journal) {
        if (line.startsWith(DELIVERED)) {
            journal.delivered(Delivery.of(line.substring(DELIVERED.length())));
        } else if (line.startsWith(FAULT)) {
            journal.fault(line.substring(FAULT.length()));
        }
    }

    /** Kills it, and returns when all that it had got is in the journal. */
    @Override
    public void close() {
        try {
            process.destroyForcibly().waitFor();
            reader.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs until its input ends, as it does when the tests end. */
    public static void main(String[] args) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Journal journal =
                new Journal() {
                    @Override
                    synchronized void delivered(Delivery delivery) {
                        out.println(DELIVERED + delivery.line());
                    }

                    @Override
                    synchronized void fault(String what) {
                        out.println(FAULT + what);
                    }
                };
        new Worker(
                Server.plain(),
                args[0],
                args[1],
                Worker.Retrieval.POLLING,
                Processor.Checkpoints.AFTER_EACH_BATCH,
                journal);
        while (System.in.read() != -1) {
            // Nothing is ever sent.
        }
        Runtime.getRuntime().halt(0);
    }
}
