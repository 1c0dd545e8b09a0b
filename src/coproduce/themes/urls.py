from django.urls import path

from coproduce.themes import exchange_views, views

app_name = "themes"
urlpatterns = [
    path("themes/", views.themes, name="themes"),
    path("themes/make/", views.make, name="make"),
    path("themes/pool/", views.pool, name="pool"),
    path("themes/take-away/", exchange_views.take_away, name="take_away"),
    path("themes/bring/", exchange_views.bring, name="bring"),
    path("themes/brought/<int:pk>/", exchange_views.brought, name="brought"),
    path("themes/brought/<int:pk>/put-aside/", exchange_views.put_aside, name="put_aside"),
    path("themes/<int:pk>/", views.theme, name="theme"),
    path("themes/<int:pk>/rename/", views.rename, name="rename"),
    path("themes/<int:pk>/merge/", views.merge, name="merge"),
    path("themes/<int:pk>/undo/", views.undo, name="undo"),
]
