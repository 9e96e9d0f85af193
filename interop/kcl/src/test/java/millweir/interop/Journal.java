package millweir.interop;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What the processors of an application saw; each call may come from another thread. */
class Journal {
    private final List<Delivery> deliveries = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();

    synchronized void delivered(Delivery delivery) {
        deliveries.add(delivery);
    }

    /** Something that a processor must never see. */
    synchronized void fault(String what) {
        faults.add(what);
    }

    /** In the order of time. */
    synchronized List<Delivery> deliveries() {
        return deliveries.stream().sorted(Comparator.comparingLong(Delivery::atMs)).toList();
    }

    synchronized List<String> faults() {
        return List.copyOf(faults);
    }

    synchronized int distinct() {
        return (int) deliveries.stream().map(Delivery::text).distinct().count();
    }

    /** The workers that have got any record. */
    synchronized Set<String> workers() {
        Set<String> workers = new TreeSet<>();
        deliveries.forEach(d -> workers.add(d.worker()));
        return workers;
    }
}
