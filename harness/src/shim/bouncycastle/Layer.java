import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One layer of a verdict, as JSON has it: an aspect that is not stated is absent. */
final class Layer {
    private static final List<String> WORST_FIRST = List.of("bad", "unchecked");

    final Map<String, Object> json = new LinkedHashMap<>();

    Layer(String path, String kind, String form) {
        json.put("path", path);
        json.put("kind", kind);
        if (form != null) {
            json.put("form", form);
        }
        json.put("structure", "good");
    }

    Layer set(String aspect, Object value) {
        json.put(aspect, value);
        return this;
    }

    String kind() {
        return (String) json.get("kind");
    }

    /** Whether an aspect that is reported is bad, or not checked. */
    boolean any(String side) {
        return json.values().stream().anyMatch(value -> side(value).equals(side));
    }

    static Object bad(String reason, String detail) {
        Map<String, Object> bad = new LinkedHashMap<>();
        bad.put("bad", reason);
        bad.put("detail", detail);
        return bad;
    }

    static Object unchecked(String reason) {
        return Map.of("unchecked", reason);
    }

    /** The worse of two values; the first if they are alike. */
    static Object worse(Object one, Object other) {
        for (String side : WORST_FIRST) {
            if (side(one).equals(side) || side(other).equals(side)) {
                return side(one).equals(side) ? one : other;
            }
        }
        return one;
    }

    private static String side(Object value) {
        return value instanceof Map<?, ?> map ? (String) map.keySet().iterator().next() : String.valueOf(value);
    }
}
