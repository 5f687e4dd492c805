import java.net.IDN;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.text.Normalizer;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Scanner;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A party by Kafka, in Java 17 or newer, with kafka-clients alone (in your system: and your own JSON library).
 *
 * <pre>
 * java -cp 'kafka-clients.jar:…' Partner.java consent consent.json EMAIL   publish a consent, wait for its receipt
 * java -cp …                     Partner.java withdraw EMAIL               publish a withdrawal
 * java -cp …                     Partner.java follow N                     acknowledge orders; stop after N
 * java                           Partner.java keys match-key.json          match keys of lines `type TAB country TAB value`
 * java                           Partner.java verify ID TIMESTAMP SIGNATURES SECRET [NOW]   a webhook's body on standard input
 * </pre>
 *
 * Environment: OPPOSABLE_PARTY, OPPOSABLE_CLIENT (a properties file with bootstrap.servers and the credentials).
 */
public final class Partner {
    private static final String PARTY = System.getenv("OPPOSABLE_PARTY");
    private static KafkaProducer<String, String> producer;

    public static void main(String[] args) throws Exception {
        try {
            run(args);
        } finally {
            if (producer != null) {
                producer.close();
            }
        }
    }

    private static void run(String[] args) throws Exception {
        switch (args.length == 0 ? "" : args[0]) {
            case "consent" -> consent(Files.readString(Path.of(args[1])), args[2]);
            case "withdraw" -> withdraw(args[1]);
            case "follow" -> follow(Integer.parseInt(args[1]));
            case "keys" -> keys(Files.readString(Path.of(args[1])));
            case "verify" -> System.exit(verify(args[1], args[2], args[3], System.in.readAllBytes(), args[4],
                args.length > 5 ? Long.parseLong(args[5]) : Instant.now().getEpochSecond()) ? 0 : 1);
            default -> throw new IllegalArgumentException("consent | withdraw | follow | keys | verify");
        }
    }

    static void consent(String template, String email) throws Exception {
        String id = UUID.randomUUID().toString();
        String own = "{\"consent_id\":\"%s\",\"collected_at\":\"%s\",\"contacts\":[{\"type\":\"email\",\"value\":\"%s\"}],"
            .formatted(id, now(), escaped(email));
        publish("consents", "opposable.consent.collected.v1", own + template.strip().substring(1), "c-" + id);
        try (KafkaConsumer<String, String> receipts = consumer("receipt-" + id.substring(0, 8))) {
            receipts.subscribe(List.of("out." + PARTY + ".receipts"));
            while (true) {
                for (ConsumerRecord<String, String> record : receipts.poll(Duration.ofSeconds(1))) {
                    if (text(record.value(), "event_id").equals("c-" + id)) {
                        System.out.println(text(record.value(), "status") + " " + id);
                        return;
                    }
                }
            }
        }
    }

    static void withdraw(String email) throws Exception {
        String stop = "w-" + UUID.randomUUID();
        publish("rights", "opposable.stop.requested.v1", """
            {"stop_id":"%s","at":"%s","kind":"withdrawal","contacts":[{"type":"email","value":"%s"}]}"""
            .formatted(stop, now(), escaped(email)), stop);
        System.out.println("withdrawn " + stop);
    }

    /** Each order: apply it in your system, acknowledge, then commit. A crash repeats the last ones; they change nothing. */
    static void follow(int orders) throws Exception {
        try (KafkaConsumer<String, String> told = consumer("crm-java")) {
            told.subscribe(List.of("out." + PARTY + ".permissions", "out." + PARTY + ".withdrawals"));
            for (int done = 0; done < orders;) {
                for (ConsumerRecord<String, String> record : told.poll(Duration.ofSeconds(1))) {
                    String kind = new String(record.headers().lastHeader("ce_type").value(), StandardCharsets.UTF_8);
                    if (kind.equals("opposable.stop.ordered.v1")) {
                        String order = text(record.value(), "order_id");
                        String answer = "{\"order_id\":\"%s\",\"status\":\"applied\",\"applied_at\":\"%s\"}".formatted(order, now());
                        // An id made of the content: it never stands for two contents.
                        publish("rights", "opposable.order.acknowledged.v1", answer,
                            "ack-" + UUID.nameUUIDFromBytes(answer.getBytes(StandardCharsets.UTF_8)));
                        System.out.println("applied " + order + " " + text(record.value(), "stop_id"));
                        done++;
                    } else {
                        System.out.println(kind + " " + text(record.value(), "consent_id"));
                    }
                }
                told.commitSync();
            }
        }
    }

    /** One event in binary mode. The same id with the same content counts once, so a retry is harmless. */
    static void publish(String topic, String kind, String data, String id) throws Exception {
        if (producer == null) { // one for the process
            Properties options = options();
            options.put("acks", "all"); // idempotence is on by default
            producer = new KafkaProducer<>(options, new StringSerializer(), new StringSerializer());
        }
        var record = new ProducerRecord<>("in." + PARTY + "." + topic, id, data);
        Map.of("ce_specversion", "1.0", "ce_id", id, "ce_source", PARTY, "ce_type", kind, "content-type", "application/json")
            .forEach((name, value) -> record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
        producer.send(record).get();
    }

    static KafkaConsumer<String, String> consumer(String group) throws Exception {
        Properties options = options();
        options.put("group.id", PARTY + "." + group); // your groups are called `<party>.…`
        options.put("auto.offset.reset", "earliest");
        options.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(options, new StringDeserializer(), new StringDeserializer());
    }

    static Properties options() throws Exception {
        Properties options = new Properties();
        try (var file = Files.newBufferedReader(Path.of(System.getenv("OPPOSABLE_CLIENT")))) {
            options.load(file);
        }
        return options;
    }

    // [webhook]
    /** Whether a webhook is ours (Standard Webhooks): a good signature among those that stand there, five minutes old at most. */
    static boolean verify(String id, String timestamp, String signatures, byte[] body, String secret, long now)
            throws GeneralSecurityException {
        if (!timestamp.matches("[0-9]{1,12}") || Math.abs(now - Long.parseLong(timestamp)) > 300) {
            return false;
        }
        byte[] head = (id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8);
        byte[] signed = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, signed, head.length, body.length);
        byte[] key = Base64.getDecoder().decode(secret.strip().replaceFirst("^whsec_", ""));
        byte[] good = ("v1," + Base64.getEncoder().encodeToString(hmac(key, signed))).getBytes(StandardCharsets.UTF_8);
        boolean found = false;
        for (String one : signatures.split(" ")) {
            found |= MessageDigest.isEqual(good, one.getBytes(StandardCharsets.UTF_8));
        }
        return found;
    }
    // [/webhook]

    // [contacts]
    private static final Pattern EMAIL = Pattern.compile(
        "(?=[^@]{1,64}@)[\\p{L}\\p{M}0-9_+-]+(\\.[\\p{L}\\p{M}0-9_+-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}");
    private static final Pattern FRENCH = Pattern.compile("(?:\\+33|0033|0)([1-9][0-9]{8})");
    /** Elsewhere: international form only, and no trunk zero after the country code, which differs by country. */
    private static final Pattern ABROAD = Pattern.compile("\\+(?:1|7|2[07]|3[0-24-69]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-689]\\d"
        + "|3[578]\\d|42\\d|5[09]\\d|6[7-9]\\d|8[0578]\\d|9[679]\\d)[1-9][0-9]{5,11}");

    /**
     * The normal form of a contact. Throws IllegalArgumentException where it can be nobody's, or where this file cannot be sure
     * (libphonenumber can): never find a person by a key of your own making.
     */
    static String normalise(String type, String value, String country) {
        String text = Normalizer.normalize(value, Normalizer.Form.NFC).replaceAll("^[\\s\\u00a0]+|[\\s\\u00a0]+$", "");
        switch (type) {
            case "email" -> {
                int at = text.indexOf('@');
                if (text.matches(".*[ßςẞ\\u200c\\u200d].*") || at < 1) {
                    throw new IllegalArgumentException("no e-mail address, or one that IDNA 2003 and 2008 read differently");
                }
                String domain = IDN.toASCII(text.substring(at + 1).toLowerCase(Locale.ROOT), IDN.USE_STD3_ASCII_RULES);
                text = text.substring(0, at).toLowerCase(Locale.ROOT) + "@" + domain;
                if (!EMAIL.matcher(text).matches()) {
                    throw new IllegalArgumentException("no plain e-mail address");
                }
            }
            case "phone" -> {
                String digits = text.replaceAll("[ .\\u00a0-]", "");
                var french = FRENCH.matcher(digits);
                if (french.matches() && ("FR".equals(country) || digits.startsWith("+"))) {
                    return "+33" + french.group(1);
                }
                if (!ABROAD.matcher(digits).matches()) {
                    throw new IllegalArgumentException("no number that can be normalised without a library");
                }
                return digits;
            }
            case "post" -> text = text.lines().map(line -> line.replaceAll("[\\s\\u00a0]+", " ").strip())
                .filter(line -> !line.isEmpty()).collect(Collectors.joining("\n")).toUpperCase(Locale.ROOT);
            default -> { }
        }
        if (text.isEmpty()) {
            throw new IllegalArgumentException("blank");
        }
        return text;
    }

    /** What permissions and orders call a contact: `m<version>.` and the HMAC under your key (GET /v1/match-key). */
    static String matchKey(String version, byte[] key, String type, String normal) throws GeneralSecurityException {
        byte[] digest = hmac(key, (type + "\0" + normal).getBytes(StandardCharsets.UTF_8));
        return "m" + version + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
    }

    static byte[] hmac(byte[] key, byte[] text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text);
    }
    // [/contacts]

    static void keys(String json) throws Exception {
        byte[] key = Base64.getDecoder().decode(text(json, "key"));
        String version = json.replaceFirst("(?s).*\"version\"\\s*:\\s*([0-9]+).*", "$1");
        for (Scanner lines = new Scanner(System.in, StandardCharsets.UTF_8).useDelimiter("\n"); lines.hasNext();) {
            String[] line = lines.next().split("\t", 3);
            try {
                String normal = normalise(line[0], line[2].replace('|', '\n'), line[1]);
                print(matchKey(version, key, line[0], normal) + "\t" + normal.replace('\n', '|'));
            } catch (IllegalArgumentException reason) {
                print("-\t" + reason.getMessage());
            }
        }
    }

    private static final Map<String, Pattern> FIELDS = new HashMap<>();

    /** A text field of the platform's JSON. Ids hold no escapes; read other fields with a JSON library. */
    static String text(String json, String field) {
        var found = FIELDS.computeIfAbsent(field, name -> Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"\\\\]*)\"")).matcher(json);
        return found.find() ? found.group(1) : "";
    }

    static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }

    static String now() {
        return DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC).format(Instant.now());
    }

    static void print(String line) throws Exception {
        System.out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }
}
