package millweir.interop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.LoggerFactory;

/**
 * What the KCL complains of: its errors, and its warnings that show an exception which the server's
 * answer became; also each 5xx, which {@link Server} writes to the same log. One that comes once
 * may be the moment's; one that comes again means that the library gets answers which it cannot
 * live with. None is excused: with the settings of {@link Worker} the library has no habit of
 * complaining, neither on a quiet machine nor on a busy one. (With its own measure of load it would,
 * once for each worker outside EC2.)
 */
final class KclLog {
    /** Where logback-test.xml writes in the JVM of the tests. */
    private static final Path TESTS = Path.of("target", "kcl.log");

    private static final Pattern COMPLAINT = Pattern.compile("\\S+ (ERROR|WARN) \\[.*?] (\\S+ - .*)");
    private static final Pattern NUMBER = Pattern.compile("[0-9a-f]{8}-[0-9a-f-]{27}|\\d+");
    private static final String REFUSED = "software.amazon.awssdk.services.";

    private final Path file;
    private final long from;

    private KclLog(Path file, long from) {
        this.file = file;
        this.from = from;
    }

    /** All that {@code file} holds. */
    static KclLog of(Path file) {
        return new KclLog(file, 0);
    }

    /** What the JVM of the tests logs from now on. */
    static KclLog ofTests() throws IOException {
        // The file of an earlier run is emptied only when logging begins.
        LoggerFactory.getILoggerFactory();
        return new KclLog(TESTS, Files.size(TESTS));
    }

    void assertNoComplaintRepeats() throws IOException {
        byte[] all = Files.readAllBytes(file);
        String text = new String(all, (int) from, all.length - (int) from, UTF_8);
        assertTrue(text.contains("Scheduler - "), "the KCL does not log to " + file);
        Map<String, Integer> repeated = complaints(text.lines().toList());
        repeated.values().removeIf(times -> times < 2);
        assertEquals(Map.of(), repeated, "complaints in " + file.toAbsolutePath());
    }

    /** How often each came, numbers and ids aside. */
    private static Map<String, Integer> complaints(List<String> lines) {
        Map<String, Integer> times = new TreeMap<>();
        for (int i = 0; i < lines.size(); i++) {
            Matcher found = COMPLAINT.matcher(lines.get(i));
            if (found.matches() && (found.group(1).equals("ERROR") || refused(lines, i + 1))) {
                times.merge(NUMBER.matcher(found.group(2)).replaceAll("#"), 1, Integer::sum);
            }
        }
        return times;
    }

    private static boolean refused(List<String> lines, int at) {
        return at < lines.size() && lines.get(at).startsWith(REFUSED);
    }
}
