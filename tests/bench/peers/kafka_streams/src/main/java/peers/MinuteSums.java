package peers;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.WindowStore;

/** The job as one would write it with Kafka Streams: a windowed aggregate in RocksDB, its updates to a topic. */
public final class MinuteSums {
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Event(Map<String, Long> measures) {}

    private static final ObjectReader EVENT = new ObjectMapper().readerFor(Event.class);

    public static void main(String[] given) throws InterruptedException {
        String bootstrap = given[0], source = given[1], output = given[2], group = given[3], folder = given[4];
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given[5]);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(source, Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .mapValues(MinuteSums::measured)
            .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
            .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1)))
            .aggregate(
                () -> pair(0, 0),
                (employee, event, sums) -> added(event, sums),
                Materialized.<String, byte[], WindowStore<Bytes, byte[]>>as("sums")
                    .withKeySerde(Serdes.String()).withValueSerde(Serdes.ByteArray()))
            .toStream()
            .map((window, sums) -> KeyValue.pair(window.key(), update(window.window().start(), sums)))
            .to(output, Produced.with(Serdes.String(), Serdes.ByteArray()));
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(10));
            ended.countDown();
        }));
        streams.start();
        ended.await();
    }

    private static byte[] measured(byte[] json) {
        try {
            Map<String, Long> measures = EVENT.<Event>readValue(json).measures();
            return pair(measures.get("inspected"), measures.get("accepted"));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static byte[] pair(long inspected, long accepted) {
        return ByteBuffer.allocate(16).putLong(inspected).putLong(accepted).array();
    }

    private static byte[] added(byte[] event, byte[] sums) {
        ByteBuffer one = ByteBuffer.wrap(event), all = ByteBuffer.wrap(sums);
        return pair(one.getLong() + all.getLong(), one.getLong() + all.getLong());
    }

    private static byte[] update(long start, byte[] sums) {
        ByteBuffer all = ByteBuffer.wrap(sums);
        return ("{\"start\":" + start + ",\"inspected\":" + all.getLong() + ",\"accepted\":" + all.getLong() + "}")
            .getBytes(StandardCharsets.UTF_8);
    }
}
