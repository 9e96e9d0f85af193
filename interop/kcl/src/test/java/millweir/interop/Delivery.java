package millweir.interop;

import java.math.BigInteger;

/**
 * A record as a worker's processor got it. {@code atMs} is the clock of the machine, which all
 * workers share, so that the deliveries of several processes have one order.
 */
record Delivery(
        String worker, String shard, String key, String text, BigInteger number, long atMs) {
    String line() {
        return String.join("\t", worker, shard, key, text, number.toString(), Long.toString(atMs));
    }

    static Delivery of(String line) {
        String[] field = line.split("\t");
        return new Delivery(
                field[0],
                field[1],
                field[2],
                field[3],
                new BigInteger(field[4]),
                Long.parseLong(field[5]));
    }
}
