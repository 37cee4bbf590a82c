# An absolute path.
type Sirikata::Path = Pattern[/\A\/[^\n\0]*\z/]
